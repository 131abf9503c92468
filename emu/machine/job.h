/* SPDX-License-Identifier: MIT */
/*
 * job.h - a process that is forked to write the machine's state.
 *
 * fork() is the snapshot: the child has all memory as it is at this T, and
 * writes it out as slowly as disk or network want, while the machine goes on.
 * The child touches nothing but what it writes to. It says how it went
 * through a pipe that the loop watches.
 */
#ifndef EMU_MACHINE_JOB_H
#define EMU_MACHINE_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct job;
struct err;

/* In the child: may block. *done, which the parent can see, is to grow up to
 * 100. False: err says why. */
typedef bool job_fn(void *opaque, uint32_t *done, struct err *err);

/* In the parent, once; err is NULL when it went well. The job is gone then. */
typedef void job_done_fn(void *opaque, const struct err *err);

/* NULL: it could not be begun. */
struct job *job_start(struct loop *l, job_fn *fn, job_done_fn *done,
                      void *opaque, struct err *err);

unsigned job_percent(const struct job *j);

/* Blocks until the job has ended and calls its done. */
void job_wait(struct job *j);

/* Ends it at once, without calling done. NULL is allowed. */
void job_kill(struct job *j);

#endif
