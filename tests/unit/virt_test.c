/* SPDX-License-Identifier: MIT */
/*
 * virt_test.c - which chip sits where and on which wire, with chips that only
 * remember how they were made.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/virt.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"

/* "name@base wire" lines, in order of creation. */
static struct buf made;

static void note(const char *name, uint64_t base, int wire)
{
    buf_printf(&made, "%s@%llx %d\n", name, (unsigned long long)base, wire);
}

static int contexts[8];
static bool had_aclint;

struct plic *plic_new(const struct board_rooms *r, uint64_t base, int harts,
                      const struct irq *out)
{
    (void)r;
    note("plic", base, harts);
    for (int i = 0; i < 2 * harts; i++)
        contexts[i] = out[i].n;
    return NULL;
}

struct irq plic_irq(struct plic *p, int source)
{
    (void)p;
    return (struct irq){ NULL, NULL, source };
}

void plic_show(const struct plic *p, struct buf *out)
{
    (void)p;
    (void)out;
}

struct clint *clint_new(const struct board_rooms *r, uint64_t base, int harts,
                        const struct irq *msip, const struct irq *mtip,
                        const struct irq *ssip, bool aclint)
{
    (void)r, (void)msip, (void)mtip, (void)ssip;
    note("clint", base, harts);
    had_aclint = aclint;
    return NULL;
}

bool uart_new(const struct board_rooms *r, uint64_t base, struct chardev *chr,
              struct irq irq, struct err *err)
{
    (void)r, (void)chr, (void)err;
    note("uart", base, irq.n);
    return true;
}

void rtc_new(const struct board_rooms *r, uint64_t base, int64_t base_ns,
             struct irq irq)
{
    (void)r, (void)base_ns;
    note("rtc", base, irq.n);
}

void finisher_new(const struct board_rooms *r, uint64_t base,
                  const struct finisher_hooks *hooks)
{
    (void)r, (void)hooks;
    note("test", base, 0);
}

struct fwcfg *fwcfg_new(const struct board_rooms *r, uint64_t base)
{
    (void)r;
    note("fwcfg", base, 0);
    return NULL;
}

void fwcfg_add(struct fwcfg *f, uint16_t key, const void *data, uint32_t len)
{
    (void)f;
    buf_printf(&made, "  %x = ", key);
    buf_hex(&made, data, len);
    buf_chr(&made, '\n');
}

bool fwcfg_add_file(struct fwcfg *f, const char *name, const void *data,
                    uint32_t len, struct err *err)
{
    (void)f, (void)data, (void)err;
    buf_printf(&made, "  %s (%u)\n", name, len);
    return true;
}

void flash_new(const struct board_rooms *r, const char *name, uint64_t base,
               const void *image, uint64_t len, bool readonly)
{
    (void)r, (void)image, (void)len, (void)readonly;
    note(name, base, 0);
}

void virtio_slot_new(const struct board_rooms *r, int slot, uint64_t base,
                     bool legacy, struct irq irq)
{
    (void)r, (void)slot, (void)legacy;
    note("virtio", base, irq.n);
}

static struct mem *mem;
static struct roms *roms;
static struct virt *virt;
static struct virt_config config;
static struct virt_wires wires;
static struct err err;

static void setup(void)
{
    mem = mem_new();
    roms = roms_new(mem);
    config = (struct virt_config){ .ram_size = 128 << 20,
                                   .harts = 2,
                                   .isa = "rv64i",
                                   .isa_list = "i",
                                   .isa_list_len = 2,
                                   .mmu_type = "riscv,sv39",
                                   .bios = "none" };
    for (int h = 0; h < 64; h++) {
        wires.meip[h].n = 100 + h;
        wires.seip[h].n = 200 + h;
    }
}

static void make(void)
{
    struct board_rooms rooms = { .mem = mem };
    virt = virt_new(&rooms, roms, &config, &wires);
    virt_add_clint(virt);
    cr_assert(virt_add_dram(virt, &err), "%s", err.text);
    virt_add_mrom(virt);
}

static void teardown(void)
{
    virt_free(virt);
    roms_free(roms);
    mem_free(mem);
    buf_free(&made);
}

TestSuite(virt, .init = setup, .fini = teardown);

Test(virt, every_chip_is_at_qemus_address_and_wire)
{
    make();
    cr_assert(virt_add_devices(virt, &err), "%s", err.text);
    cr_assert_str_eq(buf_text(&made), "clint@2000000 2\n"
                                      "plic@c000000 2\n"
                                      "fwcfg@10100000 0\n"
                                      "  2 = 00000000000000000000000000000000\n"
                                      "  4 = 0100\n"
                                      "  5 = 0200\n"
                                      "  e = 0000\n"
                                      "  bios-geometry (0)\n"
                                      "  bootorder (0)\n"
                                      "  etc/boot-fail-wait (4)\n"
                                      "test@100000 0\n"
                                      "virtio@10001000 1\n"
                                      "virtio@10002000 2\n"
                                      "virtio@10003000 3\n"
                                      "virtio@10004000 4\n"
                                      "virtio@10005000 5\n"
                                      "virtio@10006000 6\n"
                                      "virtio@10007000 7\n"
                                      "virtio@10008000 8\n"
                                      "uart@10000000 10\n"
                                      "rtc@101000 11\n"
                                      "virt.flash0@20000000 0\n"
                                      "virt.flash1@22000000 0\n");
}

Test(virt, plic_contexts_alternate_machine_and_supervisor)
{
    make();
    cr_assert(virt_add_devices(virt, &err));
    cr_assert_arr_eq(contexts, ((int[]){ 100, 200, 101, 201 }),
                     4 * sizeof(int));
}

static const struct mem_region *region(const char *name)
{
    const struct mem_region *r;
    for (size_t i = 0; (r = mem_nth(mem, i)); i++)
        if (!strcmp(r->name, name))
            return r;
    return NULL;
}

Test(virt, ram_and_rom_have_the_names_of_info_mtree)
{
    make();
    cr_assert(virt_add_devices(virt, &err));
    cr_assert_eq(region("riscv_virt_board.ram")->size, 128 << 20);
    cr_assert_eq(region("riscv_virt_board.mrom")->kind, MEM_ROM);
    cr_assert(region("platform bus")->nested);
}

Test(virt, the_platform_bus_is_empty_and_faults)
{
    uint64_t v;
    make();
    cr_assert(virt_add_devices(virt, &err));
    cr_assert_not(mem_read(mem, 0x04000000, 4, &v, NULL));
}

Test(virt, aclint_is_handed_on)
{
    config.aclint = true;
    make();
    cr_assert(had_aclint);
}

Test(virt, flash_of_the_wrong_size_is_refused)
{
    char path[] = "/tmp/ebreak-flash-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, "short", 5) == 5);
    close(fd);
    config.pflash[0] = path;
    make();
    bool ok = virt_add_devices(virt, &err);
    unlink(path);
    cr_assert_not(ok);
    cr_assert_str_eq(err.text, "device requires 33554432 bytes, pflash0 block "
                               "backend provides 5 bytes");
}

Test(virt, a_missing_flash_file_is_named)
{
    config.pflash[1] = "nosuch.fd";
    make();
    cr_assert_not(virt_add_devices(virt, &err));
    cr_assert_str_eq(err.text,
                     "Could not open 'nosuch.fd': No such file or directory");
}

Test(virt, images_are_in_memory_after_the_first_reset)
{
    uint64_t v;
    make();
    cr_assert(virt_add_devices(virt, &err));
    cr_assert(virt_load_images(virt, &err), "%s", err.text);
    roms_reset(roms);
    cr_assert(mem_read(mem, 0x1000, 4, &v, NULL));
    cr_assert_eq(v, 0x297);
    uint32_t len;
    cr_assert_not_null(virt_fdt(virt, &len));
    cr_assert_gt(len, 1000);
}
