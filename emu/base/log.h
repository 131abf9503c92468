/* SPDX-License-Identifier: MIT */
/*
 * log.h - the three kinds of error, and what -d writes.
 *
 * Ours: assert(), kept in release builds. The guest's: what hardware does,
 * plus log_guest(). The user's: a function that returns bool and fills a
 * struct err with one clear sentence; only main() turns it into exit status 1.
 */
#ifndef EMU_BASE_LOG_H
#define EMU_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err {
    char text[1024];
};

/* Writes the sentence (no final newline) and returns false. err may be NULL. */
bool err_set(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts the text and ": " before the sentence that is there; returns false. */
bool err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints "ebreak: text" and exits with status 1: for want of memory only. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *xmalloc(size_t size);  /* never NULL */
void *xaligned(size_t size); /* at a multiple of size, a power of two */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One bit for each item of `-d` and `log`; names and help in log.c's table. */
enum log_item {
    LOG_IN_ASM = 1 << 0,
    LOG_INT = 1 << 1,
    LOG_EXEC = 1 << 2,
    LOG_CPU = 1 << 3,
    LOG_FPU = 1 << 4,
    LOG_MMU = 1 << 5,
    LOG_CPU_RESET = 1 << 6,
    LOG_UNIMP = 1 << 7,
    LOG_GUEST = 1 << 8, /* guest_errors */
    LOG_INVALID_MEM = 1 << 9,
    LOG_COMMITS = 1 << 10, /* a line per retired instruction, as Spike's */
    LOG_OUT_ASM = 1 << 11, /* host code as it is made */
    LOG_OTHER = 1 << 12,   /* QEMU's items that mean nothing here */
};

extern uint32_t log_mask; /* the one process-wide setting */

static inline bool log_on(enum log_item item)
{
    return __builtin_expect((log_mask & (uint32_t)item) != 0, 0);
}

/* Writes if item is on; the text brings its own newlines. */
void log_to(enum log_item item, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A guest's mistake: LOG_GUEST, at most some hundred lines a second. The
 * newline may be left out. */
void log_guest(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "in_asm,int", "none", "all", "help"-less; false names the bad item. */
bool log_parse(const char *items, uint32_t *mask, struct err *err);

/* The table `log help` prints, one item a line. */
struct buf;
void log_help(struct buf *b);

/* Names of the items that are on, comma separated ("none" if none). */
void log_names(uint32_t mask, struct buf *b);

/* Sends the log to path ("%d" becomes the pid), or to stderr when NULL. */
bool log_file(const char *path, struct err *err);

/* A log file is written in blocks; the loop flushes it once a turn. */
void log_flush(void);

#endif
