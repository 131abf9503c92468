/* SPDX-License-Identifier: MIT */
/* target_xml_test.c - the target description as gdb wants it. */
#include <criterion/criterion.h>

#include "tests/unit/fake_gdb.c"

static void setup(void) { gdb_start(1); }

TestSuite(target_xml, .init = setup, .fini = gdb_end);

static const char *file(const char *name)
{
    char packet[100];

    snprintf(packet, sizeof packet, "qXfer:features:read:%s:0,ffff", name);
    return ask(packet);
}

static void expect_in_order(const char *text, const char *const *parts)
{
    for (; *parts; parts++) {
        text = strstr(text, *parts);
        cr_assert(text, "%s", *parts);
    }
}

Test(target_xml, osabi_none_keeps_gdb_from_software_stepping)
{
    static const char *const parts[] = {
        "<target>",
        "<architecture>riscv:rv64</architecture>",
        "<osabi>none</osabi>",
        "riscv-64bit-cpu.xml",
        "riscv-64bit-fpu.xml",
        "riscv-64bit-virtual.xml",
        "riscv-csr.xml",
        "</target>",
        NULL,
    };

    expect_in_order(file("target.xml"), parts);
}

Test(target_xml, registers_carry_canonical_numbers)
{
    cr_expect(strstr(file("riscv-64bit-cpu.xml"),
                     "<reg name=\"pc\" bitsize=\"64\" regnum=\"32\" "
                     "type=\"code_ptr\"/>"));
    cr_expect(strstr(file("riscv-64bit-fpu.xml"),
                     "<reg name=\"ft0\" bitsize=\"64\" regnum=\"33\" "
                     "type=\"riscv_double\" group=\"float\"/>"));
    cr_expect(strstr(file("riscv-64bit-virtual.xml"), "regnum=\"4161\""));
    cr_expect(strstr(file("riscv-csr.xml"),
                     "<reg name=\"satp\" bitsize=\"64\" regnum=\"449\" "
                     "type=\"int\"/>"));
}

Test(target_xml, mstatus_has_a_flags_type_before_its_use)
{
    static const char *const parts[] = {
        "<flags id=\"mstatus_flags\" size=\"8\">",
        "<field name=\"MPP\" start=\"11\" end=\"12\"/>",
        "type=\"mstatus_flags\"",
        NULL,
    };

    expect_in_order(file("riscv-csr.xml"), parts);
}

Test(target_xml, without_harts_there_are_no_registers_to_describe)
{
    machine->harts = 0;
    cr_expect_not(strstr(file("target.xml"), "include"));
}
