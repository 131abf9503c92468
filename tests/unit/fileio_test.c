/* SPDX-License-Identifier: MIT */
/*
 * fileio_test.c - semihosting calls that a debugger answers: the requests, and
 * a replay of the answers without a debugger. The whole emulator, in this
 * process, runs a guest that opens a file and asks how long it is.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/debug.h"
#include "emu/options.h"
#include "emu/steps.h"

static const uint32_t code[] = {
    0x00001597, /*  0: auipc a1, 1: the block below */
    0x00100513, /*  4: li    a0, 1: OPEN */
    0x01f01013, /*  8: slli  x0, x0, 0x1f */
    0x00100073, /*  c: ebreak */
    0x40705013, /* 10: srai  x0, x0, 7 */
    0x00a5b023, /* 14: sd    a0, 0(a1): the handle */
    0x00c00513, /* 18: li    a0, 0xc: FLEN */
    0x01f01013, /* 1c: slli  x0, x0, 0x1f */
    0x00100073, /* 20: ebreak */
    0x40705013, /* 24: srai  x0, x0, 7 */
    0x02a5b023, /* 28: sd    a0, 32(a1): the length */
    0x0000006f, /* 2c: j     . */
};
enum { BLOCK = 0x80001000, HANDLE = BLOCK, LENGTH = BLOCK + 32 };

struct guest {
    uint32_t code[0x1000 / 4];
    uint64_t block[8];
    char name[8];
};

struct rig {
    struct options o;
    struct init *in;
    struct machine *m;
    int mark_source;
    uint64_t hash;
};

static char image[] = "/tmp/ebreak-fileio-XXXXXX";

static void write_image(void)
{
    struct guest g = { .block = { BLOCK + 64, 4, 4 }, .name = "file" };
    int fd = mkstemp(image);

    memcpy(g.code, code, sizeof code);
    cr_assert_eq(write(fd, &g, sizeof g), sizeof g);
    close(fd);
}

static void remove_image(void) { unlink(image); }

TestSuite(fileio, .init = write_image, .fini = remove_image);

static void marked(void *opaque, const void *data, size_t len)
{
    struct rig *r = opaque;

    (void)data, (void)len;
    r->hash = debug_hash(r->m);
}

static void start(struct rig *r, const char *target)
{
    char line[256], *argv[24];
    struct err err = { 0 };
    int argc = 0;

    *r = (struct rig){ 0 };
    snprintf(line, sizeof line,
             "ebreak -m 16 -display none -serial null -monitor none -bios none "
             "-rtc base=2026-01-01 -kernel %s -semihosting-config "
             "enable=on,target=%s",
             image, target);
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    cr_assert(options_parse(&r->o, argc, argv, &err), "%s", err.text);
    r->in = init_new(&r->o);
    cr_assert(init_start(r->in, &err), "%s", err.text);
    r->m = &r->in->m;
    r->mark_source = tap_source(r->m->tap, "mark", marked, r);
}

static void finish(struct rig *r)
{
    init_free(r->in);
    options_free(&r->o);
}

static void turns(struct rig *r, int n)
{
    while (n-- > 0) {
        loop_kick(r->m->loop);
        cr_assert(init_turn(r->in));
    }
}

static uint64_t word(struct rig *r, uint64_t addr)
{
    uint64_t v = 0;

    cr_assert_eq(debug_read(r->m, 0, DEBUG_PHYS, addr, &v, 8, NULL), 8);
    return v;
}

enum {
#ifdef HOSTILE
    ENOUGH = 100 /* turns of one step */
#else
    ENOUGH = 8
#endif
};

static bool yes(void *opaque) { return opaque; }

static void is_asked(struct rig *r, const char *request)
{
    turns(r, ENOUGH);
    cr_assert(debug_call(r->m), "nothing is asked");
    cr_assert_str_eq(debug_call(r->m), request);
    cr_assert_not(debug_running(r->m));
}

static void answers(struct rig *r)
{
    is_asked(r, "open,80001040/5,601,1b4");
    cr_assert_not(debug_resume_again(r->m, NULL), "not without an answer");
    cr_assert(debug_call_answer(r->m, 5, 0));
    cr_assert(debug_resume_again(r->m, NULL));
    is_asked(r, "lseek,5,0,1");
    cr_assert_not(debug_call_answer(r->m, 7, 0));
    is_asked(r, "lseek,5,0,2");
    cr_assert_not(debug_call_answer(r->m, 1234, 0));
    is_asked(r, "lseek,5,7,0");
    cr_assert(debug_call_answer(r->m, 7, 0));
    cr_assert(debug_resume_again(r->m, NULL));
}

Test(fileio, a_replay_needs_no_debugger)
{
    static struct rig a, b;
    struct buf log = { 0 };
    struct err err = { 0 };

    start(&a, "auto");
    debug_on_call(a.m, yes, &a);
    answers(&a);
    turns(&a, ENOUGH);
    cr_expect_eq(word(&a, HANDLE), 64 + 5);
    cr_expect_eq(word(&a, LENGTH), 1234);
    tap_put(a.m->tap, a.mark_source, NULL, 0);
    tap_save(a.m->tap, &log);

    start(&b, "auto");
    cr_assert(tap_replay(b.m->tap, log.data, log.len, &err), "%s", err.text);
    for (int n = 0; n < 100 * ENOUGH && !b.hash; n++)
        turns(&b, 1);
    cr_expect_eq(word(&b, LENGTH), 1234);
    cr_expect_eq(b.hash, a.hash);
    buf_free(&log);
    finish(&a);
    finish(&b);
}

Test(fileio, with_target_gdb_and_no_gdb_calls_fail)
{
    static struct rig r;

    start(&r, "gdb");
    turns(&r, ENOUGH);
    cr_expect_eq(word(&r, HANDLE), UINT64_MAX);
    cr_expect_eq(word(&r, LENGTH), UINT64_MAX);
    finish(&r);
}

Test(fileio, a_reset_forgets_a_call_that_waits)
{
    static struct rig r;
    struct err err = { 0 };

    start(&r, "auto");
    debug_on_call(r.m, yes, &r);
    is_asked(&r, "open,80001040/5,601,1b4");
    debug_reset_images(r.m, &err);
    cr_expect_null(debug_call(r.m));
    cr_expect_not(debug_call_answer(r.m, 5, 0));
    cr_expect(debug_resume_again(r.m, NULL));
    is_asked(&r, "open,80001040/5,601,1b4");
    finish(&r);
}
