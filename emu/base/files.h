/* SPDX-License-Identifier: MIT */
/*
 * files.h - the files that a machine is made from.
 *
 * What was read is remembered by name, size and checksum, so that a recording
 * can be given the same bytes later. A replay goes the other way: files come
 * out of the recording, and no other exists.
 */
#ifndef EMU_BASE_FILES_H
#define EMU_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct files;
struct buf;
struct err;

/* The longest file: more is a mistake. */
#define FILES_MAX UINT64_C(0xffffffff)

struct files *files_new(void);
void files_free(struct files *f);

/*
 * The whole file, in place of what out holds. f NULL: from the disk, and
 * nobody remembers. On failure the sentence is strerror's, without the name.
 */
bool files_read(struct files *f, const char *name, struct buf *out,
                struct err *err);
bool files_exist(const struct files *f, const char *name); /* and is readable */

/* From the first call on only files that were given exist. Takes bytes over
 * and leaves it empty. */
void files_give(struct files *f, const char *name, struct buf *bytes);

/* The bytes of one that is in memory: given, or read from a pipe; or NULL. */
const struct buf *files_kept(const struct files *f, const char *name);

/* The n-th that was read, NULL: no more; and its bytes once more, into out.
 * False: it is not what it was. */
const char *files_nth(const struct files *f, size_t n);
bool files_again(const struct files *f, size_t n, struct buf *out,
                 struct err *err);

#endif
