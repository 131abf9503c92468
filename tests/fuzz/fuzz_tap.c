/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tap.c - any bytes as the log of a run, replayed to its end.
 *
 * A log that is accepted, saved again and read again is the same log.
 */
#include <assert.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "tests/fuzz/bytes.h"

static volatile uint8_t sum;

static uint64_t now(void *t) { return *(uint64_t *)t; }

static void deliver(void *opaque, const void *data, size_t len)
{
    const uint8_t *p = data;

    (void)opaque;
    for (size_t n = 0; n < len; n++)
        sum = (uint8_t)(sum + p[n]);
}

static void play(struct tap *t, uint64_t *time)
{
    uint64_t next;

    while ((next = tap_next(t)) != UINT64_MAX && next >= *time) {
        assert(!tap_put(t, 0, "x", 1));
        assert(tap_next_source(t) >= 0);
        *time = next;
        if (!tap_deliver(t))
            break;
    }
}

/* Replays log; what it saves again goes to again. */
static bool replay(const void *log, size_t len, struct buf *again)
{
    uint64_t time = 0;
    struct tap *t = tap_new(now, &time);
    struct err err;
    bool ok;

    tap_source(t, "serial0", deliver, NULL);
    tap_source(t, "reset", deliver, NULL);
    ok = tap_replay(t, log, len, &err);
    if (ok) {
        tap_save(t, again);
        play(t, &time);
    }
    tap_free(t);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = { 0 }, twice = { 0 };

    if (replay(data, size, &once)) {
        assert(replay(once.data, once.len, &twice));
        assert(once.len == twice.len);
        assert(!memcmp(once.data, twice.data, once.len));
    }
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
