/* SPDX-License-Identifier: MIT */
/* tap_test.c - the door for everything from outside. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

/* A machine whose history is a text: what came when. */
struct world {
    uint64_t t;
    struct tap *tap;
    int keys, clock;
    char seen[1024];
    size_t len;
};

static uint64_t now(void *opaque) { return ((struct world *)opaque)->t; }

static void see(struct world *w, const char *what, const void *data, size_t len)
{
    w->len += (size_t)snprintf(w->seen + w->len, sizeof w->seen - w->len,
                               "%llu:%s:%.*s ", (unsigned long long)w->t, what,
                               (int)len, (const char *)data);
}

static void see_key(void *opaque, const void *data, size_t len)
{
    see(opaque, "key", data, len);
}

static void see_clock(void *opaque, const void *data, size_t len)
{
    see(opaque, "clock", data, len);
}

static void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->tap = tap_new(now, w);
    w->keys = tap_source(w->tap, "keys", see_key, w);
    w->clock = tap_source(w->tap, "clock", see_clock, w);
}

static void put(struct world *w, uint64_t t, int source, const char *text)
{
    w->t = t;
    cr_assert(tap_put(w->tap, source, text, strlen(text)));
}

static void live_run(struct world *w)
{
    begin(w);
    put(w, 0, w->keys, "a");
    put(w, 5, w->clock, "noon");
    put(w, 5, w->keys, "");
    put(w, 1000, w->keys, "bc");
}

static const char history[] = "0:key:a 5:clock:noon 5:key: 1000:key:bc ";

static void save(struct buf *b)
{
    struct world w;

    live_run(&w);
    tap_save(w.tap, b);
    tap_free(w.tap);
}

TestSuite(tap, .timeout = 10);

Test(tap, live_input_is_delivered_at_once)
{
    struct world w;

    live_run(&w);
    cr_assert_str_eq(w.seen, history);
    cr_assert_eq(tap_count(w.tap), 4);
    cr_assert_gt(tap_bytes(w.tap), 0);
    cr_assert_not(tap_replaying(w.tap));
    cr_assert_eq(tap_next(w.tap), UINT64_MAX);
    cr_assert_not(tap_deliver(w.tap));
    tap_free(w.tap);
}

Test(tap, replay_delivers_the_same_at_the_same_time)
{
    struct buf log = { 0 };
    struct world w;

    save(&log);
    begin(&w);
    cr_assert(tap_replay(w.tap, log.data, log.len, NULL));
    cr_assert(tap_replaying(w.tap));
    for (w.t = 0; w.t < 2000; w.t++) {
        cr_assert_not(tap_put(w.tap, w.keys, "intruder", 8));
        while (tap_deliver(w.tap))
            ;
        cr_assert_gt(tap_next(w.tap), w.t);
    }
    cr_assert_str_eq(w.seen, history);
    cr_assert_eq(tap_next(w.tap), UINT64_MAX);
    cr_assert_eq(tap_next_source(w.tap), -1);
    cr_assert_eq(tap_count(w.tap), 4);
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, replay_tells_what_comes_next)
{
    struct buf log = { 0 };
    struct world w;

    save(&log);
    begin(&w);
    tap_replay(w.tap, log.data, log.len, NULL);
    cr_assert_eq(tap_next(w.tap), 0);
    cr_assert_eq(tap_next_source(w.tap), w.keys);
    tap_deliver(w.tap);
    cr_assert_eq(tap_next(w.tap), 5);
    cr_assert_eq(tap_next_source(w.tap), w.clock);
    cr_assert_not(tap_deliver(w.tap), "it is not due yet");
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, sources_are_known_by_name_not_by_number)
{
    struct buf log = { 0 };
    struct world w = { 0 };

    save(&log);
    w.tap = tap_new(now, &w);
    tap_source(w.tap, "new one", see_key, &w);
    tap_source(w.tap, "clock", see_clock, &w);
    tap_source(w.tap, "keys", see_key, &w);
    cr_assert(tap_replay(w.tap, log.data, log.len, NULL));
    for (w.t = 0; tap_next(w.tap) != UINT64_MAX; w.t++)
        while (tap_deliver(w.tap))
            ;
    cr_assert_str_eq(w.seen, history);
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, unknown_source_is_an_error)
{
    struct buf log = { 0 };
    struct world w = { 0 };
    struct err err;

    save(&log);
    w.tap = tap_new(now, &w);
    tap_source(w.tap, "clock", see_clock, &w);
    cr_assert_not(tap_replay(w.tap, log.data, log.len, &err));
    cr_assert_str_eq(err.text, "the input log has input for 'keys', which "
                               "this machine lacks");
    cr_assert_not(tap_replaying(w.tap));
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, saving_a_replayed_log_gives_the_same_bytes)
{
    struct buf log = { 0 }, again = { 0 };
    struct world w;

    save(&log);
    begin(&w);
    tap_replay(w.tap, log.data, log.len, NULL);
    tap_save(w.tap, &again);
    cr_assert_eq(again.len, log.len);
    cr_assert_eq(memcmp(again.data, log.data, log.len), 0);
    tap_free(w.tap);
    buf_free(&log);
    buf_free(&again);
}

Test(tap, every_truncation_is_an_error)
{
    struct buf log = { 0 };
    struct world w;
    struct err err;

    save(&log);
    begin(&w);
    for (size_t len = 0; len < log.len; len++) {
        err.text[0] = 0;
        cr_assert_not(tap_replay(w.tap, log.data, len, &err), "%zu", len);
        cr_assert_neq(err.text[0], 0);
    }
    buf_chr(&log, 'x');
    cr_assert_not(tap_replay(w.tap, log.data, log.len, &err));
    cr_assert_str_eq(err.text, "the input log is damaged: 1 bytes too many");
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, damage_is_named)
{
    struct buf log = { 0 };
    struct world w;
    struct err err;

    save(&log);
    begin(&w);
    cr_assert_not(tap_replay(w.tap, "#!/bin/sh\n", 10, &err));
    cr_assert_str_eq(err.text, "this is not an input log");
    log.data[8] = 9;
    cr_assert_not(tap_replay(w.tap, log.data, log.len, &err));
    cr_assert_str_eq(err.text, "the input log has version 9, this program "
                               "reads version 1");
    log.data[8] = 1;
    memset(log.data + 12, 0xff, 4); /* number of sources */
    cr_assert_not(tap_replay(w.tap, log.data, log.len, &err));
    tap_free(w.tap);
    buf_free(&log);
}

Test(tap, time_that_runs_back_is_damage)
{
    struct buf log = { 0 };
    struct world w;
    struct err err;

    save(&log);
    begin(&w);
    memset(log.data + log.len - 2 - 16, 0, 8); /* the last input's T */
    cr_assert_not(tap_replay(w.tap, log.data, log.len, &err));
    cr_assert_str_eq(err.text, "the input log is damaged: T=0 comes after "
                               "T=5");
    tap_free(w.tap);
    buf_free(&log);
}
