/* SPDX-License-Identifier: MIT */
/*
 * target_xml.c - the target description, generated from debug_regs().
 *
 * "Debugging with GDB", G.2 Target Description Format and G.5.11 RISC-V
 * Features; file names as QEMU has them. Registers carry gdb's canonical
 * numbers, so clients that ignore the description agree with it.
 *
 * <osabi>none</osabi> matters: gdb-multiarch otherwise takes a kernel for a
 * GNU/Linux program and steps it with breakpoints of its own, which run away
 * at ecall, mret and every fault.
 */
#include <string.h>

#include "gdbstub/stub.h"

/* A name for each field of the CSRs that read better in pieces. */
struct flag {
    const char *name;
    unsigned start, end;
};

/* Privileged manual 3.1.6 and 10.1.1 */
static const struct flag status_flags[] = {
    { "SIE", 1, 1 },   { "MIE", 3, 3 },   { "SPIE", 5, 5 },   { "UBE", 6, 6 },
    { "MPIE", 7, 7 },  { "SPP", 8, 8 },   { "VS", 9, 10 },    { "MPP", 11, 12 },
    { "FS", 13, 14 },  { "XS", 15, 16 },  { "MPRV", 17, 17 }, { "SUM", 18, 18 },
    { "MXR", 19, 19 }, { "TVM", 20, 20 }, { "TW", 21, 21 },   { "TSR", 22, 22 },
    { "UXL", 32, 33 }, { "SXL", 34, 35 }, { "SBE", 36, 36 },  { "MBE", 37, 37 },
    { "SD", 63, 63 },  { NULL, 0, 0 },
};

static const struct flag sstatus_flags[] = {
    { "SIE", 1, 1 },   { "SPIE", 5, 5 },  { "UBE", 6, 6 },  { "SPP", 8, 8 },
    { "VS", 9, 10 },   { "FS", 13, 14 },  { "XS", 15, 16 }, { "SUM", 18, 18 },
    { "MXR", 19, 19 }, { "UXL", 32, 33 }, { "SD", 63, 63 }, { NULL, 0, 0 },
};

/* Privileged manual 3.1.9, 10.1.3; Sscofpmf for LCOF */
static const struct flag pending_flags[] = {
    { "SSIP", 1, 1 },     { "MSIP", 3, 3 }, { "STIP", 5, 5 },
    { "MTIP", 7, 7 },     { "SEIP", 9, 9 }, { "MEIP", 11, 11 },
    { "LCOFIP", 13, 13 }, { NULL, 0, 0 },
};

static const struct flag enable_flags[] = {
    { "SSIE", 1, 1 },     { "MSIE", 3, 3 }, { "STIE", 5, 5 },
    { "MTIE", 7, 7 },     { "SEIE", 9, 9 }, { "MEIE", 11, 11 },
    { "LCOFIE", 13, 13 }, { NULL, 0, 0 },
};

/* By the register's name; the type is called NAME_flags. */
static const struct {
    const char *reg;
    const struct flag *flags;
} flag_types[] = {
    { "mstatus", status_flags }, { "sstatus", sstatus_flags },
    { "mip", pending_flags },    { "mie", enable_flags },
    { "sip", pending_flags },    { "sie", enable_flags },
};

enum { FLAG_TYPES = sizeof flag_types / sizeof flag_types[0] };

/* In the order in which gdb wants them. */
static const struct feature {
    const char *annex, *name;
    enum debug_group group;
} features[] = {
    { "riscv-64bit-cpu.xml", "org.gnu.gdb.riscv.cpu", DEBUG_GPR },
    { "riscv-64bit-fpu.xml", "org.gnu.gdb.riscv.fpu", DEBUG_FPR },
    { "riscv-64bit-virtual.xml", "org.gnu.gdb.riscv.virtual", DEBUG_VIRTUAL },
    { "riscv-csr.xml", "org.gnu.gdb.riscv.csr", DEBUG_CSR },
};

enum { FEATURES = sizeof features / sizeof features[0] };

static const struct flag *flags_of(const struct debug_reg *r)
{
    for (size_t i = 0; i < FLAG_TYPES; i++)
        if (strcmp(flag_types[i].reg, r->name) == 0)
            return flag_types[i].flags;
    return NULL;
}

static bool is_builtin(const char *type)
{
    return strcmp(type, "code_ptr") == 0 || strcmp(type, "data_ptr") == 0;
}

static void add_flags(struct buf *out, const struct debug_reg *r)
{
    buf_printf(out, "<flags id=\"%s_flags\" size=\"%u\">\n", r->name,
               r->bits / 8);
    for (const struct flag *f = flags_of(r); f->name; f++)
        buf_printf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n",
                   f->name, f->start, f->end);
    buf_str(out, "</flags>\n");
}

static void add_register(struct buf *out, const struct debug_reg *r)
{
    buf_printf(out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"",
               r->name, r->bits, r->number);
    if (flags_of(r))
        buf_printf(out, "%s_flags\"/>\n", r->name);
    else if (r->group == DEBUG_FPR)
        buf_printf(out, "riscv_double\" group=\"float\"/>\n");
    else
        buf_printf(out, "%s\"/>\n", is_builtin(r->type) ? r->type : "int");
}

static bool has_group(const struct machine *m, enum debug_group group)
{
    size_t n;
    const struct debug_reg *regs = debug_regs(m, &n);

    for (size_t i = 0; i < n; i++)
        if (regs[i].group == group)
            return true;
    return false;
}

static void add_feature(const struct machine *m, const struct feature *f,
                        struct buf *out)
{
    size_t n;
    const struct debug_reg *regs = debug_regs(m, &n);

    buf_printf(out,
               "<?xml version=\"1.0\"?>\n"
               "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n"
               "<feature name=\"%s\">\n",
               f->name);
    if (f->group == DEBUG_FPR)
        buf_str(out, "<union id=\"riscv_double\">\n"
                     "<field name=\"float\" type=\"ieee_single\"/>\n"
                     "<field name=\"double\" type=\"ieee_double\"/>\n"
                     "</union>\n");
    for (size_t i = 0; i < n; i++)
        if (regs[i].group == f->group && flags_of(&regs[i]))
            add_flags(out, &regs[i]);
    for (size_t i = 0; i < n; i++)
        if (regs[i].group == f->group)
            add_register(out, &regs[i]);
    buf_str(out, "</feature>\n");
}

static void add_target(const struct machine *m, struct buf *out)
{
    buf_str(out, "<?xml version=\"1.0\"?>\n"
                 "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                 "<target>\n"
                 "<architecture>riscv:rv64</architecture>\n"
                 "<osabi>none</osabi>\n");
    for (size_t i = 0; i < FEATURES; i++)
        if (has_group(m, features[i].group))
            buf_printf(out, "<xi:include href=\"%s\"/>\n", features[i].annex);
    buf_str(out, "</target>\n");
}

bool target_xml(const struct machine *m, const char *annex, struct buf *out)
{
    if (strcmp(annex, "target.xml") == 0) {
        add_target(m, out);
        return true;
    }
    for (size_t i = 0; i < FEATURES; i++)
        if (strcmp(annex, features[i].annex) == 0) {
            add_feature(m, &features[i], out);
            return true;
        }
    return false;
}
