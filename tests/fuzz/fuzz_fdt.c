/* SPDX-License-Identifier: MIT */
/* fuzz_fdt.c - a hostile -dtb file, and what a boot writes into it. */
#include <stddef.h>
#include <stdint.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf dtb = { 0 };
    struct err err;
    buf_add(&dtb, data, size);
    if (fdt_accept(&dtb, &err))
        fdt_choose(&dtb, "console=ttyS0", 0x84000000, 0x84001000, &err);
    buf_free(&dtb);
    return 0;
}
