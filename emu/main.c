/* SPDX-License-Identifier: MIT */
/*
 * main.c - options in, machine up, loop, exit status.
 *
 * The only place that turns an error into exit status 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/init.h"
#include "emu/options.h"

static int complain(const struct err *err)
{
    fflush(stdout);
    fprintf(stderr, "ebreak: %s\n", err->text);
    return 1;
}

static int run(struct options *o, struct err *err)
{
    struct init *in;
    bool ok;
    int status;

    if (!log_file(o->log_file, err))
        return complain(err);
    log_mask = o->log_mask;
    in = init_new(o);
    ok = init_start(in, err);
    while (ok && init_turn(in))
        continue;
    status = init_free(in);
    return ok ? status : complain(err);
}

int main(int argc, char **argv)
{
    struct options o;
    struct err err = { 0 };
    int status = 0;

    if (!options_parse(&o, argc, argv, &err))
        status = complain(&err);
    else if (o.answer)
        fputs(buf_text(o.answer), stdout);
    else
        status = run(&o, &err);
    options_free(&o);
    return status;
}
