/* SPDX-License-Identifier: MIT */
/*
 * fields.h - a struct that describes itself.
 *
 * One table of fields per device, hart or clock serves save, restore, the
 * monitor's `info`, the report of a divergence and the test that no byte of
 * state was forgotten. State is what the guest can observe; wiring, caches
 * and descriptors are host fields: neither saved nor compared, rebuilt by the
 * device's `loaded`.
 */
#ifndef EMU_BASE_FIELDS_H
#define EMU_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum field_kind {
    FIELD_END,
    FIELD_STATE, /* guest-visible: saved, restored, shown, compared */
    FIELD_HOST,  /* wiring and caches */
};

struct field {
    const char *name;
    uint32_t offset, size; /* the whole member, array or not; bytes */
    uint16_t width;        /* of one element: 1, 2, 4 or 8 */
    uint8_t kind;
};

/* clang-format off */
#define STATE(T, m) \
    { #m, offsetof(T, m), sizeof ((T *)0)->m, sizeof ((T *)0)->m, FIELD_STATE }
#define STATE_ARRAY(T, m) \
    { #m, offsetof(T, m), sizeof ((T *)0)->m, sizeof ((T *)0)->m[0], FIELD_STATE }
#define HOST(T, m) \
    { #m, offsetof(T, m), sizeof ((T *)0)->m, 1, FIELD_HOST }
#define FIELDS_END { NULL, 0, 0, 0, FIELD_END }
/* clang-format on */

/*
 * Appends obj's state: for each field its name's length (u8), its name, its
 * size (u32) and its bytes, all little-endian; an empty name ends the list.
 */
void fields_save(struct buf *out, const struct field *f, const void *obj);

/*
 * Reads what fields_save wrote from *at on and moves *at past it. Fields are
 * found by name; one that is unknown, missing or of another size is an error,
 * and obj is then unchanged.
 */
bool fields_load(const char **at, const char *end, const struct field *f,
                 void *obj, struct err *err);

/* Prints "name=value" for each field of state, blanks between. */
void fields_print(struct buf *out, const struct field *f, const void *obj);

/* The first field of state in which a and b differ, or NULL. */
const struct field *fields_diff(const struct field *f, const void *a,
                                const void *b);

/* Mixes obj's state into a 64-bit hash. */
uint64_t fields_hash(uint64_t hash, const struct field *f, const void *obj);

/* How many of obj's size bytes no field covers, padding included. */
size_t fields_gap(const struct field *f, size_t size);

#endif
