/* SPDX-License-Identifier: MIT */
/*
 * chardev_telnet.h - the telnet protocol, for sockets with telnet=on.
 *
 * Private to the chardevs.
 */
#ifndef EMU_BASE_CHARDEV_TELNET_H
#define EMU_BASE_CHARDEV_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* One connection; zeroed when it begins. */
struct telnet {
    uint8_t state, verb;
    bool binary; /* the client sends eight bits */
};

enum { TELNET_HELLO_LEN = 12 };

/* What a server says first. */
extern const char telnet_hello[TELNET_HELLO_LEN];

/* Takes the protocol out of what came, up to a break or to the end, of which
 * *used bytes that was. The data moves to the front of bytes; its length is
 * returned. */
size_t telnet_filter(struct telnet *t, char *bytes, size_t len, size_t *used,
                     bool *got_break);

/* Appends data as it is sent. */
void telnet_escape(struct buf *out, const char *bytes, size_t len);

#endif
