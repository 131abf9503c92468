/* SPDX-License-Identifier: MIT */
/* points.h - what point_args.c reads for points.c. */
#ifndef MONITOR_POINTS_H
#define MONITOR_POINTS_H

#include "monitor/mon.h"

struct point_args {
    struct machine *m;
    int hart;          /* whose registers addresses are made of */
    const char *at;    /* what is still to be read */
    const char *extra; /* what to show of it, besides the address */
    struct debug_point p;
    struct buf code; /* the condition, "": none */
    struct err *err;
};

/* Each reads all of the line. False: err says what is wrong. */
bool point_args_break(struct point_args *a);
bool point_args_watch(struct point_args *a, uint32_t kind);
bool point_args_catch(struct point_args *a);

#endif
