/* SPDX-License-Identifier: MIT */
/*
 * dev.h - the list of everything that has state: devices, harts, clocks.
 *
 * A row says what the thing is called, which fields are its state, how it is
 * reset and what it rebuilds after its state was loaded. Save, load, reset,
 * hash, `info qtree` and the divergence report walk this list.
 */
#ifndef EMU_BUS_DEV_H
#define EMU_BUS_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;
struct buf;
struct err;
struct devs;

struct dev_info {
    const char *name; /* unique: "uart0", "hart2", "plic" */
    const char *type; /* QEMU's type name: "serial-mm"; NULL: not in qtree */
    const struct field *fields;
    size_t size; /* of the object, for the gap test */
    int version; /* bumped when fields change */
    void (*reset)(void *opaque);
    void (*loaded)(void *opaque); /* after its fields were read; may be NULL */
    /* Appends "prop = value" and gpio/mmio lines for `info qtree`, each
     * ended by a newline and without indentation; may be NULL. */
    void (*describe)(void *opaque, struct buf *out);
    void (*free)(void *opaque); /* may be NULL */
};

struct devs *devs_new(void);
void devs_free(struct devs *s); /* frees every device, last added first */

/* Copies info; asserts that the name is new and that fields cover size. */
void dev_add(struct devs *s, const struct dev_info *info, void *opaque);
void devs_reset(struct devs *s); /* in order of addition */

const struct dev_info *dev_nth(const struct devs *s, size_t n, void **opaque);
const struct dev_info *dev_find(const struct devs *s, const char *name,
                                void **opaque);

/* All of the state as bytes, and back; load calls every `loaded`. */
void devs_save(const struct devs *s, struct buf *out);
bool devs_load(struct devs *s, const char *data, size_t len, struct err *err);
/* Whether devs_load would; changes nothing. */
bool devs_check(struct devs *s, const char *data, size_t len, struct err *err);

/* Back to what devs_save gave in this process: trusted, so in one go. */
void devs_restore(struct devs *s, const char *data, size_t len);

/* Is the state what devs_save gave then? False: err names the first field
 * that differs, as "uart0.lsr is 60, was 61". */
bool devs_match(const struct devs *s, const char *data, size_t len,
                struct err *err);

/* A 64-bit hash of all state fields. */
uint64_t devs_hash(const struct devs *s);

#endif
