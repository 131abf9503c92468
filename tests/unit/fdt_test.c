/* SPDX-License-Identifier: MIT */
/*
 * fdt_test.c - the device tree, held against trees dumped from QEMU 10.
 *
 * Both are printed in one normal form, order of nodes and properties
 * included; what is meant to differ (PCIe, the seed) is left out of it.
 */
#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/fdt.h"
#include "board/virt.h"

static void print_property(const void *dtb, int at, struct buf *out)
{
    const char *name;
    int len;
    const void *value = fdt_getprop_by_offset(dtb, at, &name, &len);
    buf_printf(out, "  %s = ", name);
    if (!strcmp(name, "rng-seed"))
        buf_printf(out, "%d bytes", len);
    else
        buf_hex(out, value, (size_t)len);
    buf_chr(out, '\n');
}

static void print_node(const void *dtb, int node, struct buf *out)
{
    char path[256];
    int at;
    fdt_get_path(dtb, node, path, sizeof path);
    if (strstr(path, "/pci@"))
        return;
    buf_printf(out, "%s\n", path);
    fdt_for_each_property_offset(at, dtb, node) print_property(dtb, at, out);
    fdt_for_each_subnode(at, dtb, node) print_node(dtb, at, out);
}

static void compile(const char *dts, struct buf *dtb)
{
    char command[256], chunk[4096];
    size_t n;
    snprintf(command, sizeof command, "dtc -q -I dts -O dtb %s", dts);
    FILE *f = popen(command, "r");
    cr_assert(f);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(dtb, chunk, n);
    cr_assert_eq(pclose(f), 0, "%s does not compile", dts);
}

static const char *text_of(const void *dtb, const char *name, int *len)
{
    int cpu = fdt_path_offset(dtb, "/cpus/cpu@0");
    return fdt_getprop(dtb, cpu, name, len);
}

/* A machine like the one that dtb was dumped from. */
static struct virt_config like(const void *dtb, int harts)
{
    int len;
    struct virt_config c = {
        .ram_size = 128 << 20,
        .harts = harts,
        .isa = text_of(dtb, "riscv,isa", NULL),
        .isa_list = text_of(dtb, "riscv,isa-extensions", &len),
        .mmu_type = "riscv,sv57",
        .cbom_block = 64,
        .cbop_block = 64,
        .cboz_block = 64,
    };
    c.isa_list_len = (uint32_t)len;
    return c;
}

static void same_tree(const char *dts, int harts)
{
    struct buf want = { 0 }, got = { 0 }, want_text = { 0 }, got_text = { 0 };
    compile(dts, &want);
    struct virt_config c = like(want.data, harts);
    fdt_build(&c, &got);
    cr_assert_eq(fdt_check_full(got.data, got.len), 0);
    print_node(want.data, 0, &want_text);
    print_node(got.data, 0, &got_text);
    cr_assert_str_eq(buf_text(&got_text), buf_text(&want_text));
    buf_free(&want);
    buf_free(&got);
    buf_free(&want_text);
    buf_free(&got_text);
}

static struct virt_config plain(int harts)
{
    return (struct virt_config){ .ram_size = 128 << 20,
                                 .harts = harts,
                                 .isa = "rv64i",
                                 .isa_list = "i",
                                 .isa_list_len = 2,
                                 .mmu_type = "riscv,sv39" };
}

Test(fdt, one_hart_gives_qemus_tree)
{
    same_tree("tests/unit/data/virt-1cpu.dts", 1);
}

Test(fdt, four_harts_give_qemus_tree)
{
    same_tree("tests/unit/data/virt-4cpu.dts", 4);
}

Test(fdt, sixty_four_harts_fit)
{
    struct virt_config c = plain(64);
    struct buf dtb = { 0 };
    fdt_build(&c, &dtb);
    cr_assert_geq(fdt_path_offset(dtb.data, "/cpus/cpu@3f"), 0);
    buf_free(&dtb);
}

Test(fdt, memory_beyond_4_gib_has_both_halves)
{
    struct virt_config c = plain(1);
    struct buf dtb = { 0 };
    c.ram_size = UINT64_C(64) << 30;
    fdt_build(&c, &dtb);
    int node = fdt_path_offset(dtb.data, "/memory@80000000");
    const char *reg = fdt_getprop(dtb.data, node, "reg", NULL);
    cr_assert_eq(fdt64_ld((const void *)reg), 0x80000000);
    cr_assert_eq(fdt64_ld((const void *)(reg + 8)), UINT64_C(64) << 30);
    buf_free(&dtb);
}

Test(fdt, aclint_has_three_nodes_instead_of_the_clint)
{
    struct virt_config c = plain(2);
    struct buf dtb = { 0 };
    c.aclint = true;
    fdt_build(&c, &dtb);
    cr_assert_lt(fdt_path_offset(dtb.data, "/soc/clint@2000000"), 0);
    cr_assert_geq(fdt_path_offset(dtb.data, "/soc/mswi@2000000"), 0);
    cr_assert_geq(fdt_path_offset(dtb.data, "/soc/sswi@2f00000"), 0);
    int timer = fdt_path_offset(dtb.data, "/soc/mtimer@2004000");
    const char *reg = fdt_getprop(dtb.data, timer, "reg", NULL);
    cr_assert_eq(fdt64_ld((const void *)reg), 0x200bff8);
    cr_assert_eq(fdt64_ld((const void *)(reg + 16)), 0x2004000);
    buf_free(&dtb);
}

static void seed_of(uint64_t from, uint8_t seed[32])
{
    struct virt_config c = plain(1);
    struct buf dtb = { 0 };
    c.rng_seed = from;
    fdt_build(&c, &dtb);
    int node = fdt_path_offset(dtb.data, "/chosen");
    int len;
    const void *p = fdt_getprop(dtb.data, node, "rng-seed", &len);
    cr_assert_eq(len, 32);
    memcpy(seed, p, 32);
    buf_free(&dtb);
}

Test(fdt, the_seed_is_the_same_in_every_run_of_the_same_options)
{
    uint8_t a[32], b[32], other[32];
    seed_of(1, a);
    seed_of(1, b);
    seed_of(2, other);
    cr_assert_arr_eq(a, b, 32);
    cr_assert_neq(memcmp(a, other, 32), 0);
}

Test(fdt, bootargs_and_initrd_go_to_the_front_of_chosen)
{
    struct virt_config c = plain(1);
    struct buf dtb = { 0 }, out = { 0 };
    struct err err;
    fdt_build(&c, &dtb);
    cr_assert(fdt_choose(&dtb, "quiet", 0x84200000, 0x84300000, &err));
    print_node(dtb.data, fdt_path_offset(dtb.data, "/chosen"), &out);
    cr_assert_str_eq(
        buf_text(&out),
        "/chosen\n"
        "  bootargs = 717569657400\n"
        "  linux,initrd-end = 0000000084300000\n"
        "  linux,initrd-start = 0000000084200000\n"
        "  stdout-path = 2f736f632f73657269616c40313030303030303000"
        "\n"
        "  rng-seed = 32 bytes\n");
    cr_assert_eq(dtb.len, fdt_totalsize(dtb.data), "packed");
    buf_free(&dtb);
    buf_free(&out);
}

Test(fdt, a_users_tree_without_chosen_gets_one)
{
    struct buf dtb = { 0 };
    struct err err;
    char empty[256];
    fdt_create_empty_tree(empty, sizeof empty);
    buf_add(&dtb, empty, sizeof empty);
    cr_assert(fdt_accept(&dtb, &err), "%s", err.text);
    cr_assert(fdt_choose(&dtb, "quiet", 0, 0, &err), "%s", err.text);
    int node = fdt_path_offset(dtb.data, "/chosen");
    cr_assert_str_eq(fdt_getprop(dtb.data, node, "bootargs", NULL), "quiet");
    buf_free(&dtb);
}

Test(fdt, what_is_no_tree_is_refused)
{
    struct buf dtb = { 0 };
    struct err err;
    cr_assert_not(fdt_accept(&dtb, &err));
    buf_str(&dtb, "this is only a text, however long it may be, and no tree");
    cr_assert_not(fdt_accept(&dtb, &err));
    cr_assert_str_eq(err.text, "not a device tree blob: FDT_ERR_BADMAGIC");
    buf_free(&dtb);
}

Test(fdt, a_property_that_leads_back_to_itself_is_refused)
{
    struct virt_config c = plain(1);
    struct buf dtb = { 0 };
    struct err err;
    int at, len;
    fdt_build(&c, &dtb);
    const struct fdt_property *p =
        fdt_get_property(dtb.data, 0, "compatible", &len);
    at = (int)((const char *)p - dtb.data) + 4; /* behind the tag */
    memcpy(dtb.data + at, "\xff\xff\xff\xf4", 4);
    cr_assert_not(fdt_accept(&dtb, &err));
    cr_assert_str_eq(err.text, "not a device tree blob: FDT_ERR_BADSTRUCTURE");
    buf_free(&dtb);
}

Test(fdt, a_tree_older_than_version_16_is_refused)
{
    struct virt_config c = plain(1);
    struct buf dtb = { 0 };
    struct err err;
    fdt_build(&c, &dtb);
    fdt_set_version(dtb.data, 3);
    fdt_set_last_comp_version(dtb.data, 2);
    cr_assert_not(fdt_accept(&dtb, &err));
    cr_assert_str_eq(err.text, "not a device tree blob: FDT_ERR_BADVERSION");
    buf_free(&dtb);
}

Test(fdt, prints_as_source_that_dtc_takes)
{
    struct virt_config c = plain(2);
    struct buf dtb = { 0 }, text = { 0 };
    FILE *dtc;
    fdt_build(&c, &dtb);
    fdt_print(dtb.data, (uint32_t)dtb.len, &text);
    cr_expect(strstr(text.data, "\n    memory@80000000 {\n"
                                "        device_type = \"memory\";\n"));
    cr_expect(strstr(text.data, "reg = <0x00 0x80000000 0x00 0x8000000>;"));
    cr_expect(strstr(text.data, "            interrupt-controller;\n"));
    dtc = popen("dtc -q -I dts -O dtb -o /dev/null -", "w");
    cr_assert(dtc && fputs(text.data, dtc) >= 0);
    cr_expect_eq(pclose(dtc), 0);
    buf_free(&text);
    buf_free(&dtb);
}

Test(fdt, a_damaged_tree_is_not_printed)
{
    struct buf text = { 0 };
    fdt_print("\xd0\x0d\xfe\xed", 4, &text);
    fdt_print(NULL, 0, &text);
    cr_expect_eq(text.len, 0);
    buf_free(&text);
}
