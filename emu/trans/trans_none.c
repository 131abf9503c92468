/* SPDX-License-Identifier: MIT */
/* trans_none.c - instead of a translator, where there is none for the host. */
#include "emu/base/log.h"

#include "emu/hart/hart.h"
#include "emu/trans/trans.h"

struct trans *trans_new(struct blocks *b, struct points *p,
                        const struct trans_config *config, struct err *err)
{
    (void)b, (void)p, (void)config;
    err_set(err, "this ebreak has no translator for this host: -accel interp");
    return NULL;
}

void trans_free(struct trans *t) { (void)t; }

void trans_add_hart(struct trans *t, struct hart *h) { (void)t, (void)h; }

uint64_t trans_run(struct hart *h, uint64_t n) { return hart_run(h, n); }

uint64_t trans_run_range(struct hart *h, uint64_t n, uint64_t from, uint64_t to)
{
    return hart_run_range(h, n, from, to);
}

void trans_describe(const struct trans *t, struct buf *out)
{
    (void)t, (void)out;
}

bool trans_show(const struct trans *t, uint64_t va, struct buf *out)
{
    (void)t, (void)va, (void)out;
    return false;
}

struct trans_info trans_info(const struct trans *t)
{
    (void)t;
    return (struct trans_info){ 0 };
}
