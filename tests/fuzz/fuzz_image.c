/* SPDX-License-Identifier: MIT */
/*
 * fuzz_image.c - a hostile kernel: zboot and gzip shells, U-Boot header, ELF.
 *
 * Every byte that a segment is said to have in the file is read, so that the
 * sanitizer sees one that is not there.
 */
#include <stddef.h>
#include <stdint.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/image.h"

static volatile uint8_t sum;

static void segment(void *opaque, int n, uint64_t addr, const void *data,
                    size_t len, uint64_t size)
{
    const uint8_t *p = data;
    (void)opaque, (void)n, (void)addr, (void)size;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = { 0 };
    struct err err;
    struct elf_bounds bounds;
    struct uimage u;
    buf_add(&b, data, size);
    if (image_unpack(&b, &err) && image_is_riscv(&b, &err)) {
        if (elf_is(&b))
            elf_segments(&b, segment, NULL, &bounds, &err);
        else if (uimage_parse(&b, &u))
            uimage_strip(&b, &err);
    }
    buf_free(&b);
    return 0;
}
