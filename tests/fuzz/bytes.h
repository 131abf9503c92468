/* SPDX-License-Identifier: MIT */
/* bytes.h - a fuzzer's input, taken apart piece by piece: 0 once it is used. */
#ifndef TESTS_FUZZ_BYTES_H
#define TESTS_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at;
    size_t left;
};

/* n bytes (fewer at the end) into to; the rest of it becomes 0. */
static inline size_t take(struct bytes *b, void *to, size_t n)
{
    size_t got = n < b->left ? n : b->left;

    memset(to, 0, n);
    if (got)
        memcpy(to, b->at, got);
    b->at += got;
    b->left -= got;
    return got;
}

static inline uint8_t take8(struct bytes *b)
{
    uint8_t v;

    take(b, &v, sizeof v);
    return v;
}

static inline uint16_t take16(struct bytes *b)
{
    uint16_t v;

    take(b, &v, sizeof v);
    return v;
}

static inline uint64_t take64(struct bytes *b)
{
    uint64_t v;

    take(b, &v, sizeof v);
    return v;
}

#endif
