/* SPDX-License-Identifier: MIT */
/*
 * chardev_telnet.c - the telnet protocol, for sockets with telnet=on.
 *
 * RFC 854 and 856 to 858. We ask a client for single characters without local
 * echo and for all eight bits, and do not insist: nothing it answers changes
 * what we send.
 */
#include "emu/base/chardev_telnet.h"

#include "emu/base/buf.h"

/* RFC 854, "TELNET COMMAND STRUCTURE" */
enum {
    SE = 240,
    BREAK = 243,
    SB = 250,
    WILL = 251,
    DO = 253,
    DONT = 254,
    IAC = 255,
};

enum { OPT_BINARY = 0, OPT_ECHO = 1, OPT_SUPPRESS_GO_AHEAD = 3 };

/* What the next byte from the client is. */
enum {
    DATA,
    AFTER_CR, /* data, but not a NUL, which pads a carriage return */
    COMMAND,  /* after IAC */
    OPTION,   /* after IAC WILL, WONT, DO or DONT */
    SUB,      /* within a subnegotiation, which ends with IAC SE */
    SUB_COMMAND,
};

const char telnet_hello[TELNET_HELLO_LEN] = {
    (char)IAC, (char)WILL, OPT_ECHO,
    (char)IAC, (char)WILL, OPT_SUPPRESS_GO_AHEAD,
    (char)IAC, (char)WILL, OPT_BINARY,
    (char)IAC, (char)DO,   OPT_BINARY,
};

/* After IAC; true if it stands for a data byte 255. */
static bool command(struct telnet *t, unsigned char c, bool *got_break)
{
    t->state = DATA;
    t->verb = c;
    if (c == SB)
        t->state = SUB;
    else if (c >= WILL && c <= DONT)
        t->state = OPTION;
    else if (c == BREAK)
        *got_break = true;
    return c == IAC;
}

static bool data(struct telnet *t, unsigned char c)
{
    bool padding = t->state == AFTER_CR && c == 0;

    t->state = DATA;
    if (c == IAC)
        t->state = COMMAND;
    else if (c == '\r' && !t->binary)
        t->state = AFTER_CR;
    return c != IAC && !padding;
}

/* True if c is a byte of data. */
static bool take(struct telnet *t, unsigned char c, bool *got_break)
{
    switch (t->state) {
    case COMMAND:
        return command(t, c, got_break);
    case OPTION:
        t->state = DATA;
        if (t->verb == WILL && c == OPT_BINARY)
            t->binary = true;
        return false;
    case SUB:
        t->state = c == IAC ? SUB_COMMAND : SUB;
        return false;
    case SUB_COMMAND:
        t->state = c == SE ? DATA : SUB;
        return false;
    default:
        return data(t, c);
    }
}

size_t telnet_filter(struct telnet *t, char *bytes, size_t len, size_t *used,
                     bool *got_break)
{
    size_t kept = 0;

    *got_break = false;
    for (*used = 0; *used < len && !*got_break; ++*used)
        if (take(t, (unsigned char)bytes[*used], got_break))
            bytes[kept++] = bytes[*used];
    return kept;
}

void telnet_escape(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf_chr(out, bytes[i]);
        if ((unsigned char)bytes[i] == IAC)
            buf_chr(out, bytes[i]);
    }
}
