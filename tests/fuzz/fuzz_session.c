/* SPDX-License-Identifier: MIT */
/*
 * fuzz_session.c - whole sessions of two gdbs with a real machine: packets
 * that are valid, in any order, split anywhere, with stops in between.
 *
 * The input is a list of acts. An act's first byte says which client does it
 * (its highest bit) and what: most send a packet of the table below, with
 * arguments from the bytes that follow.
 *
 * All the while: what comes back is well framed. In the end: who still reads
 * and asks is answered, whatever the other one does.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/init.h"
#include "emu/steps.h"
#include "tests/fuzz/bytes.h"

enum { CLIENTS = 2, ACTS = 48, PATIENCE = 400 };

struct client {
    int fd; /* -1: not connected */
    bool deaf;
    struct buf in;
};

static struct init *in;
static struct client client[CLIENTS];
static char path[64];
static bool over; /* the machine has gone */

/* One turn, which waits for nothing. */
static void turn(void)
{
    if (over)
        return;
    loop_kick(in->m.loop);
    over = !init_turn(in);
}

/* Clients ------------------------------------------------------------------ */

static void come(struct client *c)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    if (c->fd >= 0)
        return;
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) {
        close(c->fd);
        c->fd = -1;
    }
    c->deaf = false;
    buf_clear(&c->in);
}

static void go(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

/* Frames and acknowledgements, the last one perhaps cut short. */
static void check(struct client *c)
{
    const char *p = buf_text(&c->in), *end = p + c->in.len;

    while (p < end) {
        const char *start = p;
        uint8_t sum = 0;
        unsigned wanted;

        if (*p == '+' || *p == '-') {
            p++;
            continue;
        }
        assert(*p == '$');
        for (p++; p < end && *p != '#'; p++)
            sum += (uint8_t)*p;
        if (end - p < 3) {
            p = start;
            break;
        }
        assert(sscanf(p + 1, "%2x", &wanted) == 1 && wanted == sum);
        p += 3;
    }
    buf_drop(&c->in, (size_t)(p - buf_text(&c->in)));
}

static void hear(struct client *c)
{
    char data[65536];
    ssize_t n;

    while (c->fd >= 0 && !c->deaf && (n = read(c->fd, data, sizeof data)) > 0) {
        buf_add(&c->in, data, (size_t)n);
        check(c);
    }
}

/* What the socket does not take is lost, like a line that is cut. */
static void say(struct client *c, const void *data, size_t len)
{
    if (c->fd >= 0 && send(c->fd, data, len, MSG_NOSIGNAL) < 0)
        return;
}

static void send_packet(struct client *c, const struct buf *text, uint8_t split)
{
    struct buf b = { 0 };
    uint8_t sum = 0;

    for (size_t i = 0; i < text->len; i++)
        sum += (uint8_t)text->data[i];
    buf_chr(&b, '$');
    buf_add(&b, text->data, text->len);
    buf_printf(&b, "#%02x", sum);
    if (split & 1) {
        size_t at = split % b.len;

        say(c, b.data, at);
        turn();
        say(c, b.data + at, b.len - at);
    } else {
        say(c, b.data, b.len);
    }
    buf_free(&b);
}

/* Packets ------------------------------------------------------------------ */

/*
 * In a template: A an address, near something of interest; N a small number,
 * in hex; T a thread; W eight bytes in hex; B some escaped bytes.
 */
static const char *const templates[] = {
    "?",
    "g",
    "pN",
    "pN0",
    "PN=W",
    "GW",
    "mA,N",
    "mA,NNN",
    "xA,NN",
    "MA,8:W",
    "XA,4:B",
    "XA,0:",
    "Z0,A,4",
    "Z1,A,2",
    "Z2,A,N",
    "Z3,A,N",
    "Z4,A,NN",
    "z0,A,4",
    "z1,A,2",
    "z2,A,N",
    "z4,A,NN",
    "Z0,A,4;X3,2601,27",
    "HgT",
    "HcT",
    "TT",
    "c",
    "s",
    "C05",
    "sA",
    "vCont?",
    "vCont;c",
    "vCont;s:T;c",
    "vCont;s:T",
    "vCont;c:T",
    "vCont;rA,A:T",
    "vCont;rA,A:T;c",
    "!",
    "D",
    "k",
    "R00",
    "vKill;1",
    "vRun;",
    "vAttach;1",
    "vMustReplyEmpty",
    "qC",
    "qfThreadInfo",
    "qsThreadInfo",
    "qThreadExtraInfo,T",
    "qAttached",
    "qSymbol::",
    "qSymbol:A:6c696e75785f62616e6e6572",
    "qSymbol:A:696e69745f7461736b",
    "qCRC:A,NN",
    "qSearch:memory:A;NNN;B",
    "qSupported:multiprocess+;swbreak+;hwbreak+;error-message+",
    "qSupported:",
    "QStartNoAckMode",
    "qXfer:features:read:target.xml:N,NNN",
    "qXfer:features:read:riscv-csr.xml:NN,NNN",
    "qXfer:threads:read::N,NNN",
    "qXfer:libraries:read::N,NNN",
    "qXfer:exec-file:read:1:N,NN",
    "qXfer:osdata:read::0,NNN",
    "qXfer:osdata:read:harts:0,NNN",
    "qXfer:osdata:read:timers:0,NNN",
    "vFile:setfs:0",
    "vFile:open:2f64656d6f2e656c66,0,0",
    "vFile:pread:N,NNN,NN",
    "vFile:fstat:N",
    "vFile:close:N",
    "F0",
    "F-1,5,C",
    "FN",
    "qqemu.sstep",
    "Qqemu.sstep=N",
    "Qqemu.PhyMemMode:N",
    "bs",
    "bc",
    "qRcmd,696e666f20726567697374657273", /* info registers */
    "qRcmd,73797374656d5f7265736574",     /* system_reset */
    "qRcmd,636f6e74",                     /* cont */
    "qRcmd,73746f70",                     /* stop */
    "qRcmd,78202f3469202470c3",           /* x /4i, and not a letter */
    "qRcmd,666474",                       /* fdt */
    "qRcmd,696e666f20706f696e7473",       /* info points */
};

static void add_address(struct buf *out, struct bytes *b)
{
    static const uint64_t near[] = {
        0x1000,     0x80000000,         0x8000d000,         0x10000000, 0x11000,
        0x80ffffff, 0xffffffc08000d000, 0xffffffc08000e000, 0,
    };
    uint8_t which = take8(b), off = take8(b);

    buf_printf(out, "%llx",
               (unsigned long long)near[which % (sizeof near / sizeof *near)] +
                   2 * off);
}

static void add_bytes(struct buf *out, struct bytes *b)
{
    for (int i = 0; i < 4; i++) {
        char c = (char)take8(b);

        if (strchr("#$}*", c) && c) {
            buf_chr(out, '}');
            c ^= 0x20;
        }
        buf_chr(out, c);
    }
}

static void add_part(struct buf *out, char kind, struct bytes *b)
{
    static const char *const threads[] = { "1",    "2",    "0",     "-1",
                                           "p1.1", "p1.2", "p1.-1", "3" };

    if (kind == 'A')
        add_address(out, b);
    else if (kind == 'N')
        buf_printf(out, "%x", take8(b));
    else if (kind == 'T')
        buf_str(out, threads[take8(b) % 8]);
    else if (kind == 'W')
        buf_printf(out, "%016llx", (unsigned long long)take64(b));
    else
        add_bytes(out, b);
}

/* Capitals that begin a packet, or a word in it, are no arguments. */
static bool is_part(const char *text, const char *p)
{
    return p > text && strchr("ANTWB", *p) &&
           (!strchr("abcdefghijklmnopqrstuvwxyz", p[1]) || !p[1]) &&
           strncmp(text, "qRcmd", 5) != 0 && strncmp(text, "QSt", 3) != 0;
}

static void ask(struct client *c, uint8_t which, struct bytes *b)
{
    const char *t = templates[which % (sizeof templates / sizeof *templates)];
    struct buf text = { 0 };

    for (const char *p = t; *p; p++) {
        if (is_part(t, p))
            add_part(&text, *p, b);
        else
            buf_chr(&text, *p);
    }
    send_packet(c, &text, take8(b));
    buf_free(&text);
}

static void act(struct bytes *b)
{
    uint8_t what = take8(b);
    struct client *c = &client[what >> 7];

    switch (what & 127) {
    case 120:
        go(c);
        break;
    case 121:
        come(c);
        break;
    case 122:
        c->deaf = !c->deaf;
        break;
    case 123:
    case 124:
        say(c, "\003", 1);
        break;
    case 125:
        say(c, "-", 1);
        break;
    case 126:
    case 127:
        turn();
        break;
    default:
        ask(c, what & 127, b);
    }
    turn();
    if (!over && debug_running(&in->m) && take8(b) & 7)
        debug_interrupt(&in->m); /* or most of the time goes there */
    hear(&client[0]);
    hear(&client[1]);
}

/* The machine -------------------------------------------------------------- */

/* A client who comes now is served, for all that happened before. */
static void is_served(void)
{
    static struct client last = { .fd = -1 };
    struct buf text = { 0 };

    last.fd = -1;
    buf_clear(&last.in);
    come(&last);
    buf_str(&text, "qC");
    send_packet(&last, &text, 0);
    buf_free(&text);
    for (int n = 0; n < PATIENCE && !over; n++) {
        char data[256];
        ssize_t got = read(last.fd, data, sizeof data - 1);

        if (got > 0) {
            data[got] = 0;
            if (strstr(data, "QC1"))
                break;
        }
        turn();
        assert(n < PATIENCE - 1);
    }
    go(&last);
    buf_free(&last.in);
}

static void start(struct options *o)
{
    char line[256], *argv[32];
    int argc = 0;
    struct err err;

    snprintf(path, sizeof path, "/tmp/ebreak-fuzz-%d", (int)getpid());
    snprintf(line, sizeof line,
             "ebreak -display none -serial null -monitor none -smp 2 -m 17M "
             "-S -gdb unix:%s,server=on,wait=off",
             path);
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    unlink(path);
    if (!options_parse(o, argc, argv, &err))
        abort();
    in = init_new(o);
    if (!init_start(in, &err))
        abort();
    over = false;
    client[0].fd = client[1].fd = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    struct options o;

    start(&o);
    come(&client[0]);
    come(&client[1]);
    for (int n = 0; n < ACTS && b.left > 0 && !over; n++)
        act(&b);
    if (!over)
        is_served();
    for (int n = 0; n < CLIENTS; n++) {
        go(&client[n]);
        buf_free(&client[n].in);
    }
    turn();
    init_free(in);
    options_free(&o);
    unlink(path);
    return 0;
}
