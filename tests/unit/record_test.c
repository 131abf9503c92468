/* SPDX-License-Identifier: MIT */
/*
 * record_test.c - a run in a file, and the same run out of it.
 *
 * The whole emulator, in this process, runs the demo kernel; keys are typed
 * and memory is poked while it is recorded.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/debug.h"
#include "emu/machine/frames.h"
#include "emu/machine/record.h"
#include "emu/machine/recording.h"
#include "emu/machine/run.h"
#include "emu/machine/saves.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"
#include "tests/unit/machine_rig.h"

enum {
    MARKS = 6,
#if defined(HOSTILE)
    TURNS = 4000, /* of one step */
#else
    TURNS = 5,
#endif
};

struct rig {
    struct options o;
    struct init *in;
    struct machine *m;
};

static char dir[64];
static const char *harts = "1", *icount = "shift=0,sleep=off";

static const char *path(const char *name)
{
    static char text[4][128];
    static int next;
    char *to = text[next++ % 4];

    snprintf(to, sizeof text[0], "%s/%s", dir, name);
    return to;
}

static void make_dir(void)
{
    strcpy(dir, "/tmp/ebreak-record-XXXXXX");
    cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(record, .init = make_dir, .fini = remove_dir);

static void start(struct rig *r, size_t n, const char **argv)
{
    *r = (struct rig){ 0 };
    r->in = machine_start(&r->o, n, argv);
    r->m = &r->in->m;
}

/* Named as the files in dir; NULL: none. */
static void start_live(struct rig *r, const char *file)
{
    const char *argv[] = { "ebreak",
                           "-smp",
                           harts,
                           "-m",
                           "16",
                           "-display",
                           "none",
                           "-gdb",
                           "null",
                           "-icount",
                           icount,
                           "-record",
                           file ? path(file) : "" };

    start(r, file ? 13 : 11, argv);
}

/* With a "gdb", that it stays at its end. */
static void start_replay(struct rig *r, const char *file)
{
    const char *argv[] = { "ebreak", "-display", "none",    "-gdb",
                           "null",   "-replay",  path(file) };

    start(r, 7, argv);
}

static void finish(struct rig *r)
{
    init_free(r->in);
    options_free(&r->o);
}

static void turns(struct rig *r, int n)
{
    while (n-- > 0)
        cr_assert(init_turn(r->in));
}

static void poke(struct rig *r, uint64_t what)
{
    debug_write(r->m, 0, DEBUG_PHYS, 0x80f00000, &what, sizeof what, NULL);
}

static void live(struct rig *r)
{
    for (int n = 0; n < MARKS; n++) {
        turns(r, TURNS);
        poke(r, (uint64_t)n);
    }
}

static void to_its_end(struct rig *r)
{
    for (int n = 0; n < 100000 * TURNS && r->m->recording; n++)
        turns(r, 1);
    cr_assert_null(r->m->recording, "the replay does not end");
    cr_assert_not(debug_running(r->m));
}

static void replays(const char *file, uint64_t t, uint64_t hash)
{
    struct rig b;

    start_replay(&b, file);
    to_its_end(&b);
    cr_assert_eq(debug_now(b.m), t);
    cr_assert_eq(debug_hash(b.m), hash);
    finish(&b);
}

static void compare(void)
{
    struct rig a;

    start_live(&a, "run.ebr");
    live(&a);
    record_flush(a.m);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    finish(&a);
    cr_assert_gt(t, 0);
    replays("run.ebr", t, hash);
}

Test(record, one_hart_replays_to_the_same_state) { compare(); }

Test(record, four_harts_replay_to_the_same_state)
{
    harts = "4";
    compare();
}

Test(record, waiting_for_the_wall_clock_replays_without_it)
{
    harts = "2";
    icount = "shift=3,sleep=on";
    compare();
}

Test(record, the_date_at_start_is_in_it)
{
    struct rig a, b;

    start_live(&a, "run.ebr");
    int64_t date = a.in->board.rtc_base_ns;
    finish(&a);
    cr_assert_gt(date, 0);
    start_replay(&b, "run.ebr");
    cr_assert_eq(b.in->board.rtc_base_ns, date);
    finish(&b);
}

Test(record, images_are_in_it)
{
    struct rig a;
    FILE *f = fopen(path("blob"), "w");

    for (int n = 0; n < 3000000; n++)
        fputc(n * 7 >> 3, f);
    fclose(f);
    char device[200];
    snprintf(device, sizeof device, "loader,file=%s,addr=0x80400000",
             path("blob"));
    const char *argv[] = {
        "ebreak",        "-m",       "16",   "-device", device,
        "-bios",         "none",     "-gdb", "null",    "-record",
        path("run.ebr"), "-display", "none"
    };
    start(&a, 13, argv);
    uint64_t hash = debug_hash(a.m);
    finish(&a);
    unlink(path("blob"));
    replays("run.ebr", 0, hash);
}

Test(record, a_run_is_saved_at_any_time)
{
    struct rig a;
    struct err err = { 0 };

    start_live(&a, NULL);
    live(&a);
    cr_assert(record_save(a.m, path("run.ebr"), &err), "%s", err.text);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    live(&a);
    finish(&a);
    replays("run.ebr", t, hash);
}

Test(record, after_its_end_the_run_is_live)
{
    struct rig a, b;
    struct err err = { 0 };

    start_live(&a, "run.ebr");
    live(&a);
    record_flush(a.m);
    uint64_t t = debug_now(a.m);
    turns(&a, 1);
    poke(&a, 77);
    uint64_t hash = debug_hash(a.m);
    start_replay(&b, "run.ebr");
    poke(&b, 99); /* refused: this is the past */
    to_its_end(&b);
    cr_assert_eq(debug_now(b.m), t);
    cr_assert(run_resume(b.m, NULL, &err), "%s", err.text);
    turns(&b, 1);
    poke(&b, 77);
    cr_assert_eq(debug_hash(b.m), hash);
    cr_assert(record_save(b.m, path("more.ebr"), &err), "%s", err.text);
    t = debug_now(b.m);
    finish(&a);
    finish(&b);
    replays("more.ebr", t, hash);
}

Test(record, a_loaded_state_begins_a_new_history)
{
    struct rig a;
    struct err err = { 0 };

    start_live(&a, "run.ebr");
    live(&a);
    cr_assert(saves_write(a.m, "s", NULL, NULL, &err), "%s", err.text);
    live(&a);
    cr_assert(saves_load(a.m, "s", &err), "%s", err.text);
    live(&a);
    record_flush(a.m);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    cr_assert(record_save(a.m, path("late.ebr"), &err), "%s", err.text);
    finish(&a);
    unlink(path("s.ebs"));
    replays("run.ebr", t, hash);
    replays("late.ebr", t, hash);
}

Test(record, the_machine_comes_with_it)
{
    struct rig a;
    struct options o;
    struct err err = { 0 };

    start_live(&a, "run.ebr");
    finish(&a);
    const char *argv[] = { "ebreak", "-m", "64", "-replay", path("run.ebr") };
    cr_assert_not(options_parse(&o, 5, (char **)(uintptr_t)argv, &err));
    cr_assert(strstr(err.text, "run.ebr brings its machine with it"), "%s",
              err.text);
    options_free(&o);
}

Test(record, a_full_disk_leaves_what_was_written)
{
    struct rig a;
    struct rlimit limit = { 0 };
    struct stat st;
    struct err err = { 0 };

    start_live(&a, "run.ebr");
    turns(&a, TURNS);
    record_flush(a.m);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    cr_assert_eq(stat(path("run.ebr"), &st), 0);
    limit.rlim_cur = (rlim_t)st.st_size + 30;
    limit.rlim_max = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    turns(&a, TURNS);
    poke(&a, 1);
    record_flush(a.m);
    cr_assert_null(record_path(a.m), "it has stopped recording");
    turns(&a, TURNS);
    cr_assert_gt(debug_now(a.m), t, "the machine goes on");
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    finish(&a);
    struct recording *r = recording_open(path("run.ebr"), &err);
    cr_assert(r, "%s", err.text);
    cr_assert_not(recording_closed(r));
    recording_free(r);
    replays("run.ebr", t, hash);
}

Test(record, one_that_outgrows_the_memory_goes_on)
{
    struct rig a;
    struct err err = { 0 };
    char page[4096];
    const char *argv[] = { "ebreak",       "-m",        "16",     "-display",
                           "none",         "-gdb",      "null",   "-icount",
                           icount,         "-timeline", "mem=1M", "-record",
                           path("run.ebr") };

    start(&a, 13, argv);
    for (int n = 0; n < 500; n++) {
        turns(&a, 1);
        memset(page, n, sizeof page);
        debug_write(a.m, 0, DEBUG_PHYS, 0x80f00000, page, sizeof page, NULL);
        cr_assert_leq(tap_bytes(a.m->tap), 600 << 10);
    }
    cr_assert_not(record_save(a.m, path("late.ebr"), &err));
    cr_assert(strstr(err.text, "the run's beginning is not in memory"), "%s",
              err.text);
    record_flush(a.m);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    finish(&a);
    replays("run.ebr", t, hash);
}

Test(record, a_day_without_news_has_few_marks)
{
    const int64_t second = 1000000000, day = 24 * 3600 * second;
    int64_t t = 0;
    int marks = 0;

    for (; t < day; marks++)
        t += record_pause(t);
    cr_assert_lt(marks, 2000);
    cr_assert_eq(record_pause(second), second / 2);
    cr_assert_eq(record_pause(day), 60 * second);
}

/* States on the way --------------------------------------------------------- */

/* A byte that means a value, in each of these. */
static size_t some_byte(enum frame_kind kind, const struct buf *b)
{
    return kind == FRAME_PAGES ? 100 : kind == FRAME_MOMENT ? 12 : b->len - 3;
}

/* The frames of a file once more; how many keys there are. change: a byte of
 * the first frame of that kind within the first key is another. */
static int copy_frames(const char *from, const char *to, enum frame_kind change)
{
    int in = open(path(from), O_RDONLY), keys = 0;
    int out = open(path(to), O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct frames f;
    struct buf b = { 0 };
    enum frame_kind kind;
    struct err err;

    cr_assert(frames_open(&f, in, FRAMES_RECORDING, &err));
    cr_assert(frames_begin(out, FRAMES_RECORDING, &err));
    while (frame_next(&f, &kind, &b, &err) == FRAME_IS) {
        keys += kind == FRAME_KEY;
        if (keys == 1 && kind == change) {
            b.data[some_byte(kind, &b)] ^= 1;
            change = 0;
        }
        cr_assert(frame_write(out, kind, b.data, b.len, &err));
    }
    buf_free(&b);
    close(in);
    close(out);
    return keys;
}

/* A run that took long enough for some. */
static void with_states(uint64_t *t, uint64_t *hash)
{
    struct rig a;
    char file[160];
    const char *argv[] = { "ebreak", "-m",      "16",   "-display", "none",
                           "-gdb",   "null",    "-smp", harts,      "-icount",
                           icount,   "-record", file };

    snprintf(file, sizeof file, "%s,states=100000", path("run.ebr"));
    start(&a, 13, argv);
    for (int n = 0; copy_frames("run.ebr", "copy.ebr", 0) < 3; n++) {
        turns(&a, TURNS);
        poke(&a, (uint64_t)n);
        record_tick(a.m);
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    }
    live(&a);
    record_flush(a.m);
    *t = debug_now(a.m);
    *hash = debug_hash(a.m);
    finish(&a);
}

static void wait_there(struct rig *r, const char *where)
{
    struct err err = { 0 };

    debug_interrupt(r->m);
    cr_assert(debug_goto(r->m, where, &err), "%s", err.text);
    while (debug_running(r->m)) {
        loop_kick(r->m->loop); /* a turn that stops may wait for others */
        turns(r, 1);
    }
}

static char said[1024];

static void on_event(void *opaque, const struct debug_event *e)
{
    (void)opaque;
    if (e->kind == DEBUG_EVENT_SAY && !strstr(e->text, "searching"))
        snprintf(said, sizeof said, "%s", e->text);
}

Test(record, a_replay_begins_near_where_it_is_to_go)
{
    uint64_t t, hash, half;
    struct rig b;

    with_states(&t, &hash);
    start_replay(&b, "run.ebr");
    debug_listen(b.m, on_event, NULL);
    wait_there(&b, "99%");
    half = debug_now(b.m);
    uint64_t there = debug_hash(b.m);
    const struct chain *c = b.m->run->timeline->chain;
    cr_assert_gt(half, t * 98 / 100);
    cr_assert_eq(chain_nth(c, 0)->pos.t, 0);
    cr_assert_gt(chain_nth(c, 1)->pos.t, t / 4, "it jumped");
    wait_there(&b, "50%"); /* into what was left out, and over its end */
    wait_there(&b, "99%");
    cr_assert_eq(debug_now(b.m), half);
    cr_assert_eq(debug_hash(b.m), there);
    wait_there(&b, "end");
    to_its_end(&b);
    cr_assert_eq(debug_now(b.m), t);
    cr_assert_eq(debug_hash(b.m), hash);
    cr_assert_eq(said[0], 0, "%s", said);
    debug_unlisten(b.m, on_event, NULL);
    finish(&b);
}

Test(record, a_replay_with_two_harts_begins_there_too)
{
    uint64_t t, hash;
    struct rig b;

    harts = "2";
    icount = "shift=0,sleep=on";
    with_states(&t, &hash);
    start_replay(&b, "run.ebr");
    debug_listen(b.m, on_event, NULL);
    wait_there(&b, "end");
    to_its_end(&b);
    cr_assert_eq(debug_now(b.m), t);
    cr_assert_eq(debug_hash(b.m), hash);
    cr_assert_eq(said[0], 0, "%s", said);
    debug_unlisten(b.m, on_event, NULL);
    finish(&b);
}

static void must_differ(enum frame_kind kind, const char *how)
{
    struct rig b;

    said[0] = 0;
    copy_frames("run.ebr", "copy.ebr", kind);
    start_replay(&b, "copy.ebr");
    debug_listen(b.m, on_event, NULL);
    to_its_end(&b);
    cr_assert(strstr(said, "the replay differs from the recording at T="), "%s",
              said);
    cr_assert(strstr(said, how), "%s", said);
    debug_unlisten(b.m, on_event, NULL);
    finish(&b);
}

Test(record, a_replay_that_differs_names_field_or_address)
{
    uint64_t t, hash;

    with_states(&t, &hash);
    must_differ(FRAME_PAGES, ": memory at 00000000");
    must_differ(FRAME_DEVS, " is 0");
    copy_frames("run.ebr", "copy.ebr", 0);
    replays("copy.ebr", t, hash);
}

Test(record, a_state_of_another_time_is_refused)
{
    struct err err = { 0 };
    uint64_t t, hash;

    with_states(&t, &hash);
    copy_frames("run.ebr", "copy.ebr", FRAME_MOMENT);
    cr_assert_null(recording_open(path("copy.ebr"), &err));
    cr_assert(strstr(err.text, "it is damaged"), "%s", err.text);
}

Test(record, one_cut_within_a_state_replays)
{
    struct recording *r;
    struct err err = { 0 };
    uint64_t t, hash;
    struct frames f;
    enum frame_kind kind;
    int fd;

    with_states(&t, &hash);
    fd = open(path("run.ebr"), O_RDWR);
    cr_assert(frames_open(&f, fd, FRAMES_RECORDING, &err));
    do
        cr_assert_eq(frame_next(&f, &kind, NULL, &err), FRAME_IS);
    while (kind != FRAME_KEY);
    for (int n = 0; n < 3; n++) /* shape, moment, fields */
        cr_assert_eq(frame_next(&f, &kind, NULL, &err), FRAME_IS);
    for (off_t n = 0; n < 50; n++) { /* at the end of one, and within */
        cr_assert_eq(ftruncate(fd, (off_t)f.at - n), 0);
        r = recording_open(path("run.ebr"), &err);
        cr_assert(r, "%s", err.text);
        cr_assert_not(recording_closed(r));
        recording_free(r);
    }
    close(fd);
}

Test(record, what_is_in_memory_is_saved_with_states)
{
    struct rig a, b;
    struct err err = { 0 };

    start_live(&a, NULL);
    record_spacing(a.m, 1000);
    for (int n = 0; n < 4; n++) {
        turns(&a, TURNS);
        debug_interrupt(a.m);
        cr_assert(debug_checkpoint(a.m, NULL, &err), "%s", err.text);
        cr_assert(run_resume(a.m, NULL, &err), "%s", err.text);
        turns(&a, TURNS);
        poke(&a, (uint64_t)n);
    }
    cr_assert(record_save(a.m, path("run.ebr"), &err), "%s", err.text);
    uint64_t t = debug_now(a.m), hash = debug_hash(a.m);
    live(&a);
    finish(&a);
    cr_assert_geq(copy_frames("run.ebr", "copy.ebr", 0), 3);
    replays("run.ebr", t, hash);
    start_replay(&b, "run.ebr");
    wait_there(&b, "end");
    to_its_end(&b);
    cr_assert_eq(debug_hash(b.m), hash);
    finish(&b);
}

/* Damaged files ------------------------------------------------------------ */

static struct buf bytes_of(const char *name)
{
    struct buf b = { 0 };
    FILE *f = fopen(path(name), "rb");
    char chunk[4096];
    size_t n;

    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(&b, chunk, n);
    fclose(f);
    return b;
}

/* With a loaded state, an image and several frames of inputs. */
static struct buf small_recording(void)
{
    struct rig a;
    struct err err = { 0 };

    start_live(&a, "run.ebr");
    cr_assert(saves_write(a.m, "s", NULL, NULL, &err), "%s", err.text);
    turns(&a, 1);
    poke(&a, 1);
    record_flush(a.m);
    cr_assert(saves_load(a.m, "s", &err), "%s", err.text);
    poke(&a, 2);
    finish(&a);
    return bytes_of("run.ebr");
}

Test(record, every_cut_replays_as_far_as_it_goes_or_is_refused)
{
    struct buf b = small_recording();
    struct err err = { 0 };
    int fd = open(path("run.ebr"), O_RDWR), taken = 0;

    for (size_t n = b.len - 1; n > 0; n--) {
        cr_assert_eq(ftruncate(fd, (off_t)n), 0);
        struct recording *r = recording_open(path("run.ebr"), &err);

        taken += r != NULL;
        if (r)
            cr_assert_not(recording_closed(r), "%zu bytes", n);
        else
            cr_assert(strstr(err.text, n < FRAMES_HEAD ? "is not a recording"
                                                       : "it is cut short"),
                      "%zu bytes: %s", n, err.text);
        recording_free(r);
    }
    cr_assert_gt(taken, 0);
    close(fd);
    buf_free(&b);
}

Test(record, every_wrong_bit_is_refused)
{
    struct buf b = small_recording();
    struct err err = { 0 };
    int fd = open(path("run.ebr"), O_RDWR);

    for (size_t n = 0; n < b.len; n++) {
        char byte = b.data[n] ^ (char)(1 << n % 8);

        cr_assert_eq(pwrite(fd, &byte, 1, (off_t)n), 1);
        cr_assert_null(recording_open(path("run.ebr"), &err), "byte %zu", n);
        cr_assert(n < FRAMES_HEAD || strstr(err.text, "it is damaged at byte"),
                  "byte %zu: %s", n, err.text);
        cr_assert_eq(pwrite(fd, &b.data[n], 1, (off_t)n), 1);
    }
    close(fd);
    buf_free(&b);
}

Test(record, one_of_a_later_version_is_named)
{
    struct buf b = small_recording();
    struct err err = { 0 };
    int fd = open(path("run.ebr"), O_RDWR);

    cr_assert_eq(pwrite(fd, "\x07", 1, 8), 1);
    cr_assert_null(recording_open(path("run.ebr"), &err));
    cr_assert(strstr(err.text, "it is a recording of version 7, this program "
                               "reads version 1"),
              "%s", err.text);
    close(fd);
    buf_free(&b);
}
