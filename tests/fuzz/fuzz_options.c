/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options.c - a command line, one argument a line; parsed, not run.
 *
 * A refusal is a sentence; what was accepted is within bounds.
 */
#include <assert.h>
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/options.h"
#include "tests/fuzz/bytes.h"

enum { ARGS = 32 };

static int split(char *text, char **argv)
{
    static char program[] = "ebreak";
    int argc = 0;
    char *rest = text;

    argv[argc++] = program;
    while (rest && argc < ARGS)
        argv[argc++] = strsep(&rest, "\n");
    argv[argc] = NULL;
    return argc;
}

static void check(const struct options *o)
{
    assert(o->harts >= 1 && o->harts <= MAX_HARTS);
    assert(o->ram_size >= 1 << 20 && o->ram_size <= UINT64_C(64) << 30);
    assert(o->clock.shift <= 10);
    assert(o->escape >= 0 && o->escape < 256);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size);
    char *argv[ARGS + 1];
    struct options o;
    struct err err = { 0 };

    if (options_parse(&o, split(text, argv), argv, &err))
        check(&o);
    else
        assert(err.text[0]);
    options_free(&o);
    free(text);
    return 0;
}
