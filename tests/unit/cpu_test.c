/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/hart/cpu.h"

static struct cpu_config parse(const char *text)
{
    struct cpu_config c;
    struct err err;

    cr_assert(cpu_parse(text, &c, &err), "%s: %s", text, err.text);
    return c;
}

static void expect_error(const char *text, const char *want)
{
    struct cpu_config c;
    struct err err;

    cr_assert_not(cpu_parse(text, &c, &err), "%s", text);
    cr_assert_str_eq(err.text, want);
}

static void expect_isa(const char *cpu, const char *want)
{
    struct cpu_config c = parse(cpu);
    struct buf string = { 0 }, list = { 0 };

    cpu_isa(&c, &string, &list);
    cr_assert_str_eq(buf_text(&string), want);
    cr_assert_str_eq(list.data, "i");
    cr_assert_eq(list.data[list.len - 1], '\0');
    buf_free(&string);
    buf_free(&list);
}

static bool has(const struct cpu_config *c, enum ext e)
{
    return ext_on(c->ext, e);
}

Test(cpu, rv64_has_the_string_of_qemu_but_for_the_hypervisor)
{
    expect_isa("rv64",
               "rv64imafdc_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_"
               "zicclsm_ziccrse_zicntr_zicsr_zifencei_zihintntl_zihintpause_"
               "zihpm_zmmul_za64rs_zaamo_zalrsc_zawrs_zfa_zca_zcd_zba_zbb_zbc_"
               "zbs_ssccptr_sscounterenw_sstc_sstvala_sstvecd_ssu64xl_svadu_"
               "svvptc");
}

Test(cpu, rva22s64_has_the_string_of_qemu_but_for_the_hypervisor)
{
    expect_isa("rva22s64",
               "rv64imafdcb_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_"
               "zicclsm_ziccrse_zicntr_zicsr_zifencei_zihintpause_zihpm_zmmul_"
               "za64rs_zaamo_zalrsc_zfhmin_zca_zcd_zba_zbb_zbs_zkt_ssccptr_"
               "sscounterenw_sstvala_sstvecd_ssu64xl_svade_svinval_svpbmt");
}

Test(cpu, misa_has_a_bit_for_each_letter_and_for_s_and_u)
{
    struct cpu_config v = parse("rv64"), x = parse("max");

    cr_assert_eq(cpu_misa(&v), 0x800000000014112d);
    cr_assert_eq(cpu_misa(&x), 0x800000000014112f);
}

Test(cpu, profile_has_no_pmp_and_sv39_only)
{
    struct cpu_config c = parse("rva22s64");

    cr_assert_not(c.pmp);
    cr_assert_str_eq(cpu_mmu_type(&c), "riscv,sv39");
    cr_assert(has(&c, EXT_SVADE));
    cr_assert_not(has(&c, EXT_SVADU));
}

Test(cpu, translation_modes_are_switched_as_a_row)
{
    static const struct {
        const char *cpu, *type;
    } rows[] = {
        { "rv64", "riscv,sv57" },          { "rv64,sv57=off", "riscv,sv48" },
        { "rv64,sv48=off", "riscv,sv39" }, { "rv64,sv39=off", "riscv,none" },
        { "rv64,mmu=off", "riscv,none" },  { "rva22s64,sv48=on", "riscv,sv48" },
        { "max", "riscv,sv57" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cpu_config c = parse(rows[i].cpu);

        cr_assert_str_eq(cpu_mmu_type(&c), rows[i].type, "%s", rows[i].cpu);
    }
    expect_error("rv64,sv48=off,sv57=on", "sv57=on needs sv48=on");
}

Test(cpu, switches_set_numbers)
{
    struct cpu_config c = parse("rv64,cbom_blocksize=128,mvendorid=0x123,"
                                "resetvec=0x2000,pmu-num=4,pmp=off,debug=off");

    cr_assert_eq(c.cbom_block, 128);
    cr_assert_eq(c.cboz_block, 64);
    cr_assert_eq(c.mvendorid, 0x123);
    cr_assert_eq(c.resetvec, 0x2000);
    cr_assert_eq(c.pmu_mask, 0x78);
    cr_assert_not(c.pmp);
    cr_assert_not(c.debug);
    cr_assert_not(has(&c, EXT_ZIC64B), "its blocks have 64 bytes");
}

Test(cpu, a_switch_turns_on_what_it_needs)
{
    struct cpu_config c = parse("rv64,zfh=on,b=on");

    cr_assert(has(&c, EXT_ZFHMIN));
    cr_assert(has(&c, EXT_B));
    cr_assert(has(&c, EXT_ZBS));
}

Test(cpu, a_switch_turns_off_what_needs_it)
{
    struct cpu_config c = parse("rv64,f=off"), no_c = parse("rv64,c=off");

    cr_assert_not(has(&c, EXT_D));
    cr_assert_not(has(&c, EXT_ZFA));
    cr_assert_not(has(&c, EXT_ZCD));
    cr_assert(has(&c, EXT_ZCA));
    cr_assert_not(has(&no_c, EXT_ZCA));
    cr_assert_not(has(&no_c, EXT_ZCD));
    cr_assert(has(&no_c, EXT_D));
}

Test(cpu, contradictions_are_errors)
{
    expect_error("rv64,f=off,d=on", "D extension requires F extension");
    expect_error("max,zfhmin=off,zfh=on",
                 "Zfh extension requires Zfhmin extension");
}

Test(cpu, what_is_not_implemented_can_be_off_only)
{
    struct cpu_config c = parse("max,v=off,h=off");

    cr_assert_not(has(&c, EXT_V));
    expect_error("rv64,v=on",
                 "can't apply global rv64-riscv-cpu.v=on: the 'v' extension "
                 "is not implemented");
    expect_error("rv64,vlen=256",
                 "can't apply global rv64-riscv-cpu.vlen=256: 'vlen' belongs "
                 "to the vector extension, which is not implemented");
    expect_error("rv64,x-misa-w=on",
                 "can't apply global rv64-riscv-cpu.x-misa-w=on: 'x-misa-w' "
                 "is not implemented");
}

Test(cpu, typing_mistakes_have_the_texts_of_qemu)
{
    expect_error("nosuch", "unable to find CPU model 'nosuch'");
    expect_error("rv64,help", "Expected key=value format, found help.");
    expect_error("rv64,nosuch=on",
                 "can't apply global rv64-riscv-cpu.nosuch=on: Property "
                 "'rv64-riscv-cpu.nosuch' not found");
    expect_error("max,zba=maybe",
                 "can't apply global max-riscv-cpu.zba=maybe: Parameter 'zba' "
                 "expects 'on' or 'off'");
    expect_error("rv64,pmu-mask=7",
                 "can't apply global rv64-riscv-cpu.pmu-mask=7: \"pmu-mask\" "
                 "contains invalid bits (0-2) set");
}

Test(cpu, help_lists_the_models)
{
    struct buf out = { 0 };

    cpu_help(&out);
    cr_assert_str_eq(buf_text(&out),
                     "Available CPUs:\n  max\n  rv64\n  rva22s64\n");
    buf_free(&out);
}
