/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a byte string that grows.
 *
 * Used for packets, replies, saved state and every text that is built in
 * pieces. data is always followed by a 0 byte that len does not count, so it
 * can be printed as a string. A zeroed struct buf is an empty one.
 */
#ifndef EMU_BASE_BUF_H
#define EMU_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t len, cap;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *text);
void buf_chr(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Appends two lower-case hex digits for each byte. */
void buf_hex(struct buf *b, const void *bytes, size_t n);

/* Drops the first n bytes. */
void buf_drop(struct buf *b, size_t n);

/* Makes it empty but keeps the memory. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* The text, "" when nothing was ever added. */
const char *buf_text(const struct buf *b);

#endif
