/* SPDX-License-Identifier: MIT */
/*
 * opts.h - QEMU's "-opt key=value,key=value".
 *
 * A literal comma is doubled; a bare first word is the value of the implied
 * key; a bare later word means word=on ("noword" is word=off). Sizes take a
 * suffix b, k, M, G, T, P, E in powers of 1024. Error texts are QEMU's
 * (util/qemu-option.c as observed; facts/cli.md section 0).
 */
#ifndef EMU_BASE_OPTS_H
#define EMU_BASE_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct opt {
    char *key, *value;
    bool used; /* somebody asked for it; the rest are typing mistakes */
};

struct opts {
    struct opt *opt;
    size_t n;
};

/* A zeroed struct opts is empty; parsing appends, a later key wins. */
bool opts_parse(struct opts *o, const char *text, const char *implied,
                struct err *err);
void opts_set(struct opts *o, const char *key, const char *value);
void opts_free(struct opts *o);

/* The value or def; each marks the key as used. */
const char *opts_get(struct opts *o, const char *key, const char *def);
bool opts_bool(struct opts *o, const char *key, bool def, bool *v,
               struct err *err); /* Parameter 'x' expects 'on' or 'off' */
bool opts_number(struct opts *o, const char *key, uint64_t def, uint64_t *v,
                 struct err *err); /* Parameter 'x' expects a number */
bool opts_size(struct opts *o, const char *key, uint64_t def, uint64_t *v,
               struct err *err);
bool opts_has(const struct opts *o, const char *key);

/* False, "Invalid parameter 'x'", when a key was given that none asked for. */
bool opts_done(const struct opts *o, struct err *err);

/* C numbers (0x, 0, decimal), the whole text; false when it is none. */
bool parse_u64(const char *text, uint64_t *v);

/* A size with its suffix; unit multiplies a bare number ('M' -> MiB). */
bool parse_size(const char *text, char unit, uint64_t *v);

bool parse_bool(const char *text, bool *v); /* on off yes no true false y n */

#endif
