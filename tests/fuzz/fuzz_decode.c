/* SPDX-License-Identifier: MIT */
/*
 * fuzz_decode.c - any words, decoded for any set of extensions, and printed.
 *
 * The first bytes are the set of extensions, then comes one word after the
 * other. A buffer that is too short must do no harm.
 */
#include <assert.h>
#include <stdlib.h>

#include "emu/hart/cpu.h"
#include "emu/hart/insn.h"
#include "tests/fuzz/bytes.h"

enum { EXTS = (EXT_COUNT + 63) / 64 };

static void print(const struct insn *i, uint64_t pc)
{
    char text[128];

    for (size_t size = 1; size <= sizeof text; size *= 2) {
        char *exact = malloc(size);
        int len = insn_disas(exact, size, pc, i);

        assert(len >= 0 && memchr(exact, 0, size));
        free(exact);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    insn_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    uint64_t ext[EXTS], pc;
    uint32_t word;

    take(&b, ext, sizeof ext);
    pc = take64(&b);
    while (take(&b, &word, sizeof word)) {
        struct insn i = insn_decode(word, ext);

        assert(i.op < OP_COUNT && (i.len == 2 || i.len == 4));
        assert((word & 3) == 3 || i.len == 2);
        assert(i.rd < 33 && i.rs1 < 33 && i.rs2 < 33 && i.rs3 < 33);
        assert(insn_name((enum op)i.op) && insn_operands((enum op)i.op));
        print(&i, pc);
        pc += i.len;
    }
    return 0;
}
