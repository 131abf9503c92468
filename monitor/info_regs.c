/* SPDX-License-Identifier: MIT */
/* info_regs.c - info registers: QEMU's layout of a hart without H. */
#include <inttypes.h>

#include "monitor/mon.h"

enum { GPR_FIRST = 0, FPR_FIRST = 33 }; /* gdb's canonical numbers */

static const char *const csrs[] = {
    "pc",      "mhartid", "mstatus", "mip",      "mie",      "mideleg",
    "medeleg", "mtvec",   "stvec",   "mepc",     "sepc",     "mcause",
    "scause",  "mtval",   "stval",   "mscratch", "sscratch", "satp",
};

static const char *const gprs[32] = {
    "x0/zero", "x1/ra",  "x2/sp",  "x3/gp",  "x4/tp",  "x5/t0",   "x6/t1",
    "x7/t2",   "x8/s0",  "x9/s1",  "x10/a0", "x11/a1", "x12/a2",  "x13/a3",
    "x14/a4",  "x15/a5", "x16/a6", "x17/a7", "x18/s2", "x19/s3",  "x20/s4",
    "x21/s5",  "x22/s6", "x23/s7", "x24/s8", "x25/s9", "x26/s10", "x27/s11",
    "x28/t3",  "x29/t4", "x30/t5", "x31/t6",
};

static const char *const fprs[32] = {
    "f0/ft0",   "f1/ft1",   "f2/ft2",   "f3/ft3",   "f4/ft4",  "f5/ft5",
    "f6/ft6",   "f7/ft7",   "f8/fs0",   "f9/fs1",   "f10/fa0", "f11/fa1",
    "f12/fa2",  "f13/fa3",  "f14/fa4",  "f15/fa5",  "f16/fa6", "f17/fa7",
    "f18/fs2",  "f19/fs3",  "f20/fs4",  "f21/fs5",  "f22/fs6", "f23/fs7",
    "f24/fs8",  "f25/fs9",  "f26/fs10", "f27/fs11", "f28/ft8", "f29/ft9",
    "f30/ft10", "f31/ft11",
};

static void put_named(struct monitor *mon, int hart, const char *name)
{
    const struct debug_reg *r = debug_reg_named(mon->m, name);
    uint64_t v;

    if (r && debug_reg_get(mon->m, hart, r, &v))
        mon_print(mon, " %-8s %016" PRIx64 "\n", name, v);
}

static void put_file(struct monitor *mon, int hart, const char *const *labels,
                     unsigned first)
{
    for (unsigned i = 0; i < 32; i++) {
        const struct debug_reg *r = debug_reg_numbered(mon->m, first + i);
        uint64_t v;

        if (!r || !debug_reg_get(mon->m, hart, r, &v))
            return;
        mon_print(mon, " %-8s %016" PRIx64 "%s", labels[i], v,
                  i % 4 == 3 ? "\n" : "");
    }
}

static void put_hart(struct monitor *mon, int hart)
{
    mon_print(mon, "\nCPU#%d\n", hart);
    for (size_t i = 0; i < ARRAY_LEN(csrs); i++)
        put_named(mon, hart, csrs[i]);
    put_file(mon, hart, gprs, GPR_FIRST);
    if (debug_reg_numbered(mon->m, FPR_FIRST)) {
        put_named(mon, hart, "fcsr");
        put_file(mon, hart, fprs, FPR_FIRST);
    }
}

void info_registers(struct monitor *mon, const struct args *a)
{
    int n = (int)arg_number(a, "vcpu", (uint64_t)mon->hart);

    if (arg_given(a, "cpustate_all"))
        for (int i = 0; i < debug_harts(mon->m); i++)
            put_hart(mon, i);
    else if (n >= 0 && n < debug_harts(mon->m))
        put_hart(mon, n);
    else
        mon_print(mon, "CPU#%d not available\n", n);
}
