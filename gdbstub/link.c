/* SPDX-License-Identifier: MIT */
/*
 * link.c - bytes to packets and back: framing, checksums, escapes, run
 * lengths, acknowledgements, Ctrl-C.
 *
 * "Debugging with GDB", E.1 Overview and E.9 Packet Acknowledgment. The
 * parser takes what arrives a byte at a time, so packets may be split and
 * joined anywhere. Nothing here blocks: what the other side does not take is
 * queued, and a client that lets the queue grow past STUB_QUEUE is dropped.
 */
#include <assert.h>
#include <string.h>

#include "gdbstub/stub.h"

enum {
    INTERRUPT = 0x03,
    RUN_MIN = 4,  /* shorter runs do not get shorter */
    RUN_MAX = 98, /* count characters end at 126: 97 repeats + 29 */
};

void link_init(struct link *l, const struct link_ops *ops, void *opaque)
{
    *l = (struct link){ .ops = ops, .opaque = opaque };
}

void link_fini(struct link *l)
{
    buf_free(&l->in);
    buf_free(&l->last);
    buf_free(&l->queue);
}

void link_reset(struct link *l)
{
    buf_clear(&l->in);
    buf_clear(&l->last);
    buf_clear(&l->queue);
    l->state = LINK_IDLE;
    l->no_ack = false;
    l->broken = false;
}

/* Bytes modulo 256, eight at a time: large packets spend their time here. */
static uint8_t sum_of(const char *data, size_t len)
{
    const uint64_t low = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t word, lanes = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&word, data + i, 8);
        lanes = (lanes & low) + (word & low) + (word >> 8 & low);
    }
    for (; i < len; i++)
        lanes += (uint8_t)data[i];
    return (uint8_t)(lanes + (lanes >> 16) + (lanes >> 32) + (lanes >> 48));
}

/* Sending ------------------------------------------------------------------ */

static size_t piece(size_t left)
{
    return left < STUB_PIECE ? left : STUB_PIECE;
}

static size_t write_queue(struct link *l)
{
    size_t done = 0;

    while (done < l->queue.len) {
        size_t n = piece(l->queue.len - done);
        size_t took = l->ops->write(l->opaque, l->queue.data + done, n);

        done += took;
        if (took < n)
            break;
    }
    return done;
}

void link_flush(struct link *l)
{
    if (l->queue.len > 0 && !l->broken)
        buf_drop(&l->queue, write_queue(l));
    if (l->queue.len > 0 && !l->broken)
        l->ops->stalled(l->opaque);
    else if (l->queue.cap > STUB_PACKET)
        buf_free(&l->queue);
}

/* While packets are being handled their replies gather, to leave in one go. */
static void put(struct link *l, const void *data, size_t len)
{
    if (l->broken)
        return;
    buf_add(&l->queue, data, len);
    if (!l->feeding || l->queue.len > STUB_QUEUE)
        link_flush(l);
    if (l->queue.len <= STUB_QUEUE)
        return;
    l->broken = true;
    buf_free(&l->queue);
    l->ops->broken(l->opaque);
}

static size_t run_at(const char *data, size_t len)
{
    size_t n = 1;

    while (n < len && n < RUN_MAX && data[n] == data[0])
        n++;
    return n;
}

/* Could a run of RUN_MIN start at data? If not, how far away is the next one
 * at least? */
static size_t no_run(const char *data)
{
    if (data[2] != data[3])
        return 3;
    if (data[1] != data[2])
        return 2;
    return data[0] != data[1];
}

/* "0* " is 0000: the count character is the number of repeats + 29. The
 * counts '#' and '$' are not allowed; such a run is cut to five repeats. */
static void add_run_lengths(struct buf *out, const char *data, size_t len)
{
    size_t done = 0;

    for (size_t i = 0; i + RUN_MIN <= len;) {
        size_t n = no_run(data + i);

        if (n > 0) {
            i += n;
            continue;
        }
        n = run_at(data + i, len - i);
        if (n - 1 + 29 == '#' || n - 1 + 29 == '$')
            n = 6;
        buf_add(out, data + done, i + 1 - done);
        buf_chr(out, '*');
        buf_chr(out, (char)(n - 1 + 29));
        i += n;
        done = i;
    }
    buf_add(out, data + done, len - done);
}

void link_send(struct link *l, const void *data, size_t len)
{
    struct buf *f = &l->last;

    buf_clear(f);
    buf_chr(f, '$');
    add_run_lengths(f, data, len);
    buf_printf(f, "#%02x", sum_of(f->data + 1, f->len - 1));
    put(l, f->data, f->len);
}

void link_escape(struct buf *out, const void *data, size_t len)
{
    static const bool special[256] = {
        ['#'] = true, ['$'] = true, ['}'] = true, ['*'] = true
    };
    const char *p = data;
    size_t done = 0;

    for (size_t i = 0; i < len; i++) {
        if (!special[(uint8_t)p[i]])
            continue;
        buf_add(out, p + done, i - done);
        buf_chr(out, '}');
        buf_chr(out, (char)(p[i] ^ 0x20));
        done = i + 1;
    }
    buf_add(out, p + done, len - done);
}

/* Receiving ---------------------------------------------------------------- */

/* Undoes "}x" in place; a lone } at the end stands for itself. */
static size_t unescape(char *data, size_t len)
{
    const char *first = len ? memchr(data, '}', len) : NULL;
    size_t n = first ? (size_t)(first - data) : len;

    for (size_t i = n; i < len; i++) {
        char c = data[i];

        if (c == '}' && i + 1 < len)
            c = (char)(data[++i] ^ 0x20);
        data[n++] = c;
    }
    data[n] = '\0';
    return n;
}

/* A wrong checksum asks for the packet again, where that can be asked. */
static void finish(struct link *l)
{
    l->state = LINK_IDLE;
    if (!l->no_ack) {
        bool good = l->sum == l->wanted;

        put(l, good ? "+" : "-", 1);
        if (!good)
            return;
    }
    if (l->too_long) {
        link_send(l, "E22", 3);
        return;
    }
    buf_chr(&l->in, '\0');
    l->ops->packet(l->opaque, l->in.data, unescape(l->in.data, l->in.len - 1));
}

static void begin(struct link *l)
{
    buf_clear(&l->in);
    l->sum = 0;
    l->too_long = false;
    l->state = LINK_DATA;
}

static void idle_byte(struct link *l, char c)
{
    if (c == '$')
        begin(l);
    else if (c == INTERRUPT)
        l->ops->interrupt(l->opaque);
    else if (c == '-' && !l->no_ack && l->last.len > 0)
        put(l, l->last.data, l->last.len);
}

static void data_byte(struct link *l, char c)
{
    if (c == '$') /* never sent raw: the packet before it was cut off */
        begin(l);
    else
        l->state = LINK_SUM1;
}

/* What comes before the next # or $; how many bytes that were. */
static size_t take_data(struct link *l, const char *data, size_t len)
{
    size_t room = STUB_PACKET - l->in.len, n = 0;

    while (n < len && data[n] != '#' && data[n] != '$')
        n++;
    l->sum += sum_of(data, n);
    l->too_long |= n > room;
    if (n > 0)
        buf_add(&l->in, data, n < room ? n : room);
    return n;
}

static void feed_byte(struct link *l, char c)
{
    int digit = hex_digit(c);

    switch (l->state) {
    case LINK_IDLE:
        idle_byte(l, c);
        break;
    case LINK_DATA:
        data_byte(l, c);
        break;
    case LINK_SUM1:
        l->wanted = digit < 0 ? (uint8_t)~l->sum : (uint8_t)(digit << 4);
        l->state = LINK_SUM2;
        break;
    case LINK_SUM2:
        l->wanted = digit < 0 ? (uint8_t)~l->sum : l->wanted | (uint8_t)digit;
        finish(l);
        break;
    }
}

static void feed(struct link *l, const char *data, size_t len)
{
    assert(!l->feeding);
    l->feeding = true;
    for (size_t i = 0; i < len && !l->broken; i++) {
        if (l->state == LINK_DATA)
            i += take_data(l, data + i, len - i);
        if (i < len)
            feed_byte(l, data[i]);
    }
    l->feeding = false;
    link_flush(l);
}

void link_feed(struct link *l, const void *data, size_t len)
{
    for (size_t done = 0; done < len; done += piece(len - done))
        feed(l, (const char *)data + done, piece(len - done));
}
