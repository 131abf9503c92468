/* SPDX-License-Identifier: MIT */
/*
 * fuzz_packets.c - a hostile gdb, or a broken line to it, on a fake machine.
 *
 * The input is a list of lines. A line is the text of a packet, framed as it
 * should be, unless its first byte says otherwise: 0 the rest goes over the
 * line as it is, 1 the machine stops, 2 gdb goes and another one comes, 3
 * somebody else runs it or it has so many harts now, 4 gdb reads no more than
 * so many bytes, 5 the loop turns.
 *
 * All the while: what is sent is well framed, a resume has one stop reply, a
 * packet one reply of its own, and points go with the gdb that set them.
 */
#include <assert.h>

#include "tests/fuzz/bytes.h"
#include "tests/unit/fake_gdb.c"

static bool whole; /* gdb has read all that was sent to it */

/* One frame: its end, and whether it is more than text for the console. */
static const char *check_frame(const char *p, const char *end, size_t *replies)
{
    const char *data = ++p;
    uint8_t sum = 0;
    unsigned wanted;

    for (; p < end && *p != '#'; p++)
        sum += (uint8_t)*p;
    assert(end - p >= 3 && sscanf(p + 1, "%2x", &wanted) == 1);
    assert(wanted == sum);
    *replies += *data != 'O' || data[1] == 'K';
    return p + 3;
}

/* Nothing but frames and acknowledgements; how many replies came. */
static size_t replies(void)
{
    const char *p = buf_text(&gdb.chr.out), *end = p + gdb.chr.out.len;
    size_t n = 0;

    while (whole && p < end) {
        if (*p == '+' || *p == '-') {
            p++;
            continue;
        }
        assert(*p == '$');
        p = check_frame(p, end, &n);
    }
    buf_clear(&gdb.chr.out);
    return n;
}

static struct debug_stop a_stop(struct bytes *b)
{
    uint8_t how = take8(b);

    return (struct debug_stop){
        .reason = (enum debug_stop_reason)(1 + how % 6),
        .hart = how & 64 ? -1 : how >> 4 & 1,
        .addr = take64(b),
        .access = DEBUG_WRITE,
        .point = { .kind = how & 8 ? DEBUG_BREAK : DEBUG_WRITE,
                   .addr = 0x80000000,
                   .hw = how & 32,
                   .owner = machine->points ? machine->point[0].owner : NULL },
    };
}

/* The second stop finds nobody who waits. */
static void stop(struct bytes *b)
{
    struct debug_stop s = a_stop(b);

    fake_stop(machine, s);
    assert(replies() <= 1);
    fake_stop(machine, s);
    assert(replies() == 0);
}

static void reconnect(void)
{
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    assert(machine->points == 0);
    gdb.chr.room = SIZE_MAX;
    whole = true;
    buf_clear(&gdb.chr.out);
    chr_event(&gdb.chr, CHARDEV_OPENED);
}

static void somebody_else(struct bytes *b)
{
    uint8_t how = take8(b);

    if (how < 128) {
        fake_run(machine);
        return;
    }
    machine->harts = how - 128 > 64 ? 64 : how - 128;
    machine->phase = machine->harts ? 5 : 0;
}

static void do_line(const uint8_t *line, size_t len)
{
    struct bytes b = { line, len };
    uint8_t how = take8(&b);

    if (how == 0) {
        chr_input(&gdb.chr, b.at, b.left);
    } else if (how == 1 && machine->running) {
        stop(&b);
    } else if (how == 2) {
        reconnect();
    } else if (how == 3) {
        somebody_else(&b);
    } else if (how == 4) {
        gdb.chr.room = take16(&b);
        whole = false;
    } else if (how == 5) {
        gdb.chr.room = SIZE_MAX;
        gdb_turn();
    } else if (gdb.chr.front) {
        replies();
        gdb_send(&gdb, (const char *)line, len);
        assert(memchr(line, '#', len) || memchr(line, '$', len) ||
               replies() <= 2); /* its own, and a stop's that was owed */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;

    gdb_start(2);
    whole = true;
    while (data < end) {
        const uint8_t *eol = memchr(data, '\n', (size_t)(end - data));
        size_t len = (size_t)((eol ? eol : end) - data);

        if (len)
            do_line(data, len);
        data += len + 1;
        replies();
    }
    gdb_end();
    return 0;
}
