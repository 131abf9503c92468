/* SPDX-License-Identifier: MIT */
/*
 * fuzz_monitor.c - any bytes, typed at a monitor, on a fake machine.
 *
 * The first byte says where they are typed: bit 0 chooses gdb's `monitor`
 * over a session, bit 1 a client that reads slowly, bit 2 a machine that is
 * not ready. memsave and its like must not write just anywhere: meanwhile the
 * process may open no files.
 */
#include <sys/resource.h>

#include "monitor/mon.h"
#include "tests/unit/fake_machine.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Turns of the loop after the last byte: what is under way may go on. */
enum { TURNS = 20 };

static void allow_files(bool yes)
{
    static struct rlimit usual;
    struct rlimit none;

    if (usual.rlim_max == 0)
        getrlimit(RLIMIT_NOFILE, &usual);
    none = (struct rlimit){ 0, usual.rlim_max };
    setrlimit(RLIMIT_NOFILE, yes ? &usual : &none);
}

static void through_gdb(struct machine *m, const uint8_t *data, size_t size)
{
    char *line = xstrndup((const char *)data, size);
    struct buf out = { 0 };

    monitor_run_line(m, NULL, 0, line, &out);
    buf_free(&out);
    free(line);
}

static void through_session(struct machine *m, const uint8_t *data, size_t size,
                            bool slow)
{
    struct chardev c;
    struct monitor *mon;

    chr_init(&c);
    mon = monitor_new(m, &c, NULL, NULL);
    chr_event(&c, CHARDEV_OPENED);
    if (slow)
        c.room = 100;
    for (size_t at = 0; at < size; at += 7)
        chr_input(&c, data + at, size - at < 7 ? size - at : 7);
    for (int i = 0; i < TURNS && loop_turn(m->loop, 0); i++)
        c.room = SIZE_MAX;
    monitor_free(mon);
    buf_free(&c.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine *m;
    uint8_t how = size > 0 ? data[0] : 0;

    if (size == 0)
        return 0;
    m = fake_new(2);
    allow_files(false);
    if (how & 4)
        m->phase = 2;
    if (how & 1)
        through_gdb(m, data + 1, size - 1);
    else
        through_session(m, data + 1, size - 1, how & 2);
    allow_files(true);
    log_mask = 0;
    monitor_fini();
    fake_free(m);
    return 0;
}
