/* SPDX-License-Identifier: MIT */
/*
 * fuzz_packets.c - a hostile gdb, or a broken line to it, on a fake machine.
 *
 * The input is a list of lines. A line is the text of a packet, framed as it
 * should be, unless its first byte says otherwise: 0 the rest goes over the
 * line as it is, 1 the machine stops, 2 gdb goes and another one comes, 4 gdb
 * reads no more than so many bytes, 5 the loop turns.
 */
#include "tests/fuzz/bytes.h"
#include "tests/unit/fake_gdb.c"

static struct debug_stop a_stop(struct bytes *b)
{
    uint8_t how = take8(b);

    return (struct debug_stop){
        .reason = (enum debug_stop_reason)(1 + how % 6),
        .hart = how >> 4 & 1,
        .addr = take64(b),
        .access = DEBUG_WRITE,
        .point = { .kind = how & 8 ? DEBUG_BREAK : DEBUG_WRITE,
                   .addr = 0x80000000,
                   .hw = how & 32,
                   .owner = machine->points ? machine->point[0].owner : NULL },
    };
}

static void do_line(const uint8_t *line, size_t len)
{
    struct bytes b = { line, len };
    uint8_t how = take8(&b);

    if (how == 0) {
        chr_input(&gdb.chr, b.at, b.left);
    } else if (how == 1 && machine->running) {
        fake_stop(machine, a_stop(&b));
    } else if (how == 2) {
        chr_event(&gdb.chr, CHARDEV_CLOSED);
        chr_event(&gdb.chr, CHARDEV_OPENED);
    } else if (how == 4) {
        gdb.chr.room = take16(&b);
    } else if (how == 5) {
        gdb.chr.room = SIZE_MAX;
        gdb_turn();
    } else if (gdb.chr.front) {
        gdb_send(&gdb, (const char *)line, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;

    gdb_start(2);
    while (data < end) {
        const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));
        size_t len = (size_t)((stop ? stop : end) - data);

        if (len)
            do_line(data, len);
        data += len + 1;
        gdb_read(&gdb);
    }
    gdb_end();
    return 0;
}
