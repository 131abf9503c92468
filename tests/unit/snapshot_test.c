/* SPDX-License-Identifier: MIT */
/*
 * snapshot_test.c - a machine's state in a file, and back to the bit.
 *
 * The whole emulator, in this process, runs the demo kernel.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/debug.h"
#include "emu/machine/frames.h"
#include "emu/machine/run.h"
#include "emu/machine/saves.h"
#include "emu/machine/snapshot.h"
#include "tests/unit/machine_rig.h"

enum {
#if defined(HOSTILE)
    TURNS = 3000, /* of one step */
#else
    TURNS = 4,
#endif
};

struct rig {
    struct options o;
    struct init *in;
    struct machine *m;
    char dir[64];
};

static void start(struct rig *r, const char *harts, const char *megabytes)
{
    *r = (struct rig){ 0 };
    strcpy(r->dir, "/tmp/ebreak-snapshot-XXXXXX");
    cr_assert(mkdtemp(r->dir));
    const char *argv[] = { "ebreak",
                           "-smp",
                           harts,
                           "-m",
                           megabytes,
                           "-display",
                           "none",
                           "-icount",
                           "shift=1,sleep=off",
                           "-rtc",
                           "base=2026-01-01",
                           "-snapshots",
                           r->dir };
    r->in = machine_start(&r->o, sizeof argv / sizeof argv[0], argv);
    r->m = &r->in->m;
}

static void finish(struct rig *r)
{
    char command[128];

    init_free(r->in);
    options_free(&r->o);
    snprintf(command, sizeof command, "rm -r %s", r->dir);
    cr_assert_eq(system(command), 0);
}

static void turns(struct rig *r, int n)
{
    while (n-- > 0)
        cr_assert(init_turn(r->in));
}

static void save(struct rig *r, const char *name)
{
    struct err err = { 0 };

    cr_assert(saves_write(r->m, name, NULL, NULL, &err), "%s", err.text);
}

static void load(struct rig *r, const char *name)
{
    struct err err = { 0 };

    cr_assert(saves_load(r->m, name, &err), "%s", err.text);
}

Test(snapshot, a_loaded_state_goes_on_as_the_saved_one_did)
{
    struct rig r;
    uint64_t hash[2], t[2];

    start(&r, "2", "16");
    turns(&r, TURNS);
    save(&r, "a");
    for (int n = 0; n < 2; n++) {
        hash[n] = debug_hash(r.m);
        t[n] = debug_now(r.m);
        turns(&r, TURNS);
    }
    cr_assert_neq(hash[0], hash[1]);
    load(&r, "a");
    for (int n = 0; n < 2; n++) {
        cr_assert_eq(debug_hash(r.m), hash[n], "time %d", n);
        cr_assert_eq(debug_now(r.m), t[n]);
        turns(&r, TURNS);
    }
    cr_assert(debug_running(r.m), "one that ran goes on");
    finish(&r);
}

Test(snapshot, another_process_takes_the_state)
{
    struct rig a, b;
    char from[128], to[128];

    start(&a, "1", "16");
    turns(&a, TURNS);
    save(&a, "a");
    start(&b, "1", "16");
    snprintf(from, sizeof from, "%s/a.ebs", a.dir);
    snprintf(to, sizeof to, "%s/b.ebs", b.dir);
    cr_assert_eq(rename(from, to), 0);
    load(&b, "b");
    turns(&a, TURNS);
    turns(&b, TURNS);
    cr_assert_eq(debug_hash(b.m), debug_hash(a.m));
    finish(&a);
    finish(&b);
}

Test(snapshot, saving_is_not_noticed)
{
    struct rig a, b;

    start(&a, "2", "16");
    start(&b, "2", "16");
    turns(&a, 2 * TURNS);
    turns(&b, TURNS);
    save(&b, NULL);
    turns(&b, TURNS);
    cr_assert_eq(debug_now(b.m), debug_now(a.m));
    cr_assert_eq(debug_hash(b.m), debug_hash(a.m));
    finish(&a);
    finish(&b);
}

static void done(void *opaque, const struct err *err)
{
    cr_assert_null(err);
    ++*(int *)opaque;
}

Test(snapshot, the_machine_runs_while_it_is_written)
{
    struct rig r;
    struct err err = { 0 };
    int called = 0;

    start(&r, "1", "16");
    cr_assert(saves_write(r.m, "a", done, &called, &err), "%s", err.text);
    cr_assert_not(saves_write(r.m, "b", done, &called, &err));
    cr_assert_str_eq(err.text, "the snapshot 'a' is still being written");
    while (!called)
        turns(&r, 1);
    cr_assert_eq(called, 1);
    cr_assert_gt(debug_now(r.m), 0);
    load(&r, "a");
    cr_assert_eq(debug_now(r.m), 0);
    finish(&r);
}

static void wrong(const char *harts, const char *megabytes, const char *what)
{
    struct rig a, b;
    struct err err = { 0 };
    char command[256];

    start(&a, "1", "16");
    start(&b, harts, megabytes);
    save(&a, "a");
    snprintf(command, sizeof command, "cp %s/a.ebs %s", a.dir, b.dir);
    cr_assert_eq(system(command), 0);
    uint64_t hash = debug_hash(b.m);
    cr_assert_not(saves_load(b.m, "a", &err));
    cr_assert(strstr(err.text, what), "%s", err.text);
    cr_assert_eq(debug_hash(b.m), hash);
    finish(&a);
    finish(&b);
}

Test(snapshot, a_state_of_more_harts_is_refused_by_name)
{
    wrong("2", "16", "it has harts=1, this one has harts=2");
}

Test(snapshot, a_state_of_other_memory_is_refused_by_name)
{
    wrong("1", "32", "it has memory=16 MiB, this one has memory=32 MiB");
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = { bytes, RLIM_INFINITY };

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file is there when it is whole; the one before it stays until then. */
Test(snapshot, a_full_disk_leaves_what_was_there)
{
    struct rig r;
    struct err err = { 0 };
    char command[160];

    start(&r, "1", "16");
    turns(&r, TURNS);
    save(&r, "a");
    uint64_t t = debug_now(r.m), hash = debug_hash(r.m);
    turns(&r, TURNS);
    limit_files(3000);
    cr_assert_not(saves_write(r.m, "a", NULL, NULL, &err));
    cr_assert(strstr(err.text, "File too large"), "%s", err.text);
    cr_assert_not(saves_write(r.m, "b", NULL, NULL, &err));
    limit_files(RLIM_INFINITY);
    snprintf(command, sizeof command, "test \"$(ls -A %s)\" = a.ebs", r.dir);
    cr_assert_eq(system(command), 0, "more than a.ebs is there");
    load(&r, "a");
    cr_assert_eq(debug_now(r.m), t);
    cr_assert_eq(debug_hash(r.m), hash);
    finish(&r);
}

Test(snapshot, names_stay_in_their_directory)
{
    struct rig r;
    struct err err;

    start(&r, "1", "16");
    cr_assert_not(saves_write(r.m, "../x", NULL, NULL, &err));
    cr_assert_not(saves_write(r.m, ".x", NULL, NULL, &err));
    cr_assert_not(saves_write(r.m, "", NULL, NULL, &err));
    cr_assert_not(saves_load(r.m, "a/b", &err));
    cr_assert_not(saves_delete(r.m, "..", &err));
    cr_assert_str_eq(err.text, "'..' is no name for a snapshot");
    finish(&r);
}

Test(snapshot, info_lists_them_and_delvm_deletes)
{
    struct rig r;
    struct err err = { 0 };
    struct buf b = { 0 };

    start(&r, "1", "16");
    saves_list(r.m, &b);
    cr_assert_str_eq(buf_text(&b), "There is no snapshot available.\n");
    buf_clear(&b);
    turns(&r, 1);
    save(&r, "first");
    saves_list(r.m, &b);
    cr_assert(strstr(buf_text(&b), "--      first            "), "%s",
              buf_text(&b));
    buf_clear(&b);
    cr_assert(saves_delete(r.m, "first", &err), "%s", err.text);
    saves_list(r.m, &b);
    cr_assert_str_eq(buf_text(&b), "There is no snapshot available.\n");
    cr_assert_not(saves_load(r.m, "first", &err));
    cr_assert(strstr(err.text, "Snapshot 'first' does not exist in "));
    buf_free(&b);
    finish(&r);
}

/* Damaged files ------------------------------------------------------------ */

struct image {
    int fd;
    struct buf bytes;
};

static struct image image_of(struct rig *r)
{
    struct image i = { memfd_create("snapshot", 0), { 0 } };
    struct err err = { 0 };
    uint32_t percent = 0;
    char chunk[4096];
    ssize_t n;

    cr_assert(frames_begin(i.fd, FRAMES_SNAPSHOT, &err));
    cr_assert(snapshot_write(r->m, "x", true, i.fd, &percent, &err), "%s",
              err.text);
    cr_assert_eq(percent, 100);
    lseek(i.fd, 0, SEEK_SET);
    while ((n = read(i.fd, chunk, sizeof chunk)) > 0)
        buf_add(&i.bytes, chunk, (size_t)n);
    return i;
}

static bool accepts(struct rig *r, int fd, struct err *err)
{
    struct moment when;
    struct frames f;

    return frames_open(&f, fd, FRAMES_SNAPSHOT, err) &&
           snapshot_check(r->m, &f, &when, NULL, err);
}

Test(snapshot, every_cut_is_refused)
{
    struct rig r;
    struct err err = { 0 };

    start(&r, "1", "16");
    turns(&r, TURNS);
    struct image i = image_of(&r);
    cr_assert(accepts(&r, i.fd, &err), "%s", err.text);
    for (size_t n = i.bytes.len; n-- > 0;) {
        cr_assert_eq(ftruncate(i.fd, (off_t)n), 0);
        cr_assert_not(accepts(&r, i.fd, &err), "%zu bytes", n);
        cr_assert(n < FRAMES_HEAD || strstr(err.text, "it is cut short at"),
                  "%zu bytes: %s", n, err.text);
    }
    buf_free(&i.bytes);
    close(i.fd);
    finish(&r);
}

Test(snapshot, every_wrong_bit_is_refused)
{
    struct rig r;
    struct err err = { 0 };

    start(&r, "1", "16");
    turns(&r, TURNS);
    struct image i = image_of(&r);
    for (size_t n = 0; n < i.bytes.len; n++) {
        char byte = i.bytes.data[n] ^ (char)(1 << n % 8);

        cr_assert_eq(pwrite(i.fd, &byte, 1, (off_t)n), 1);
        cr_assert_not(accepts(&r, i.fd, &err), "byte %zu", n);
        cr_assert(n < FRAMES_HEAD || strstr(err.text, "it is damaged at byte"),
                  "byte %zu: %s", n, err.text);
        cr_assert_eq(pwrite(i.fd, &i.bytes.data[n], 1, (off_t)n), 1);
    }
    cr_assert(accepts(&r, i.fd, &err), "%s", err.text);
    buf_free(&i.bytes);
    close(i.fd);
    finish(&r);
}

Test(snapshot, one_of_a_later_version_is_named)
{
    struct rig r;
    struct err err = { 0 };
    uint32_t version = 2;

    start(&r, "1", "16");
    struct image i = image_of(&r);
    cr_assert_eq(pwrite(i.fd, &version, 4, 8), 4);
    cr_assert_not(accepts(&r, i.fd, &err));
    cr_assert_str_eq(err.text, "it is a snapshot of version 2, this program "
                               "reads version 1");
    buf_free(&i.bytes);
    close(i.fd);
    finish(&r);
}

Test(snapshot, memory_that_is_not_there_is_refused)
{
    struct rig r;
    struct err err = { 0 };
    uint64_t entry[(8 + 4096) / 8] = { 0x70000000 };
    enum frame_kind kind;
    struct buf b = { 0 };
    struct frames f;

    start(&r, "1", "16");
    struct image i = image_of(&r);
    cr_assert(frames_open(&f, i.fd, FRAMES_SNAPSHOT, &err));
    do {
        cr_assert_eq(frame_next(&f, &kind, &b, &err), FRAME_IS);
    } while (kind != FRAME_DEVS);
    lseek(i.fd, (off_t)f.at, SEEK_SET);
    cr_assert(frame_write(i.fd, FRAME_PAGES, entry, sizeof entry, &err));
    cr_assert_not(accepts(&r, i.fd, &err));
    cr_assert_str_eq(err.text, "it has memory at 0x70000000, where this "
                               "machine has none");
    buf_free(&b);
    buf_free(&i.bytes);
    close(i.fd);
    finish(&r);
}
