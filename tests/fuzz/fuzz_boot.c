/* SPDX-License-Identifier: MIT */
/*
 * fuzz_boot.c - a hostile file as firmware, kernel, initial ram disk, device
 * tree or -device loader, all the way into memory.
 *
 * The first byte says which of them it is, the second how it is combined. A
 * refusal is a sentence; what is accepted lies within memory.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emu/base/log.h"

#include "board/boot.h"
#include "board/virt.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "tests/fuzz/bytes.h"

enum { RAM_SIZE = 32 << 20 };

/* The board's fw_cfg is not what is tested here. */
void fwcfg_add(struct fwcfg *f, uint16_t key, const void *data, uint32_t len)
{
    (void)f, (void)key, (void)data, (void)len;
}

/* A file without a name, by which it can be opened nevertheless. */
static int file_of(const uint8_t *data, size_t size, char *path, size_t n)
{
    int fd = memfd_create("fuzz", 0);

    assert(fd >= 0);
    assert(write(fd, data, size) == (ssize_t)size);
    snprintf(path, n, "/proc/self/fd/%d", fd);
    return fd;
}

static void choose(struct virt_config *c, const char *path, uint8_t what,
                   uint8_t how)
{
    const char **role[] = { &c->kernel, &c->bios, &c->dtb, &c->initrd };

    c->bios = how & 1 ? "none" : path;
    c->kernel = path;
    if (how & 2)
        c->initrd = path;
    if (how & 4)
        c->append = "console=ttyS0";
    *role[what % 4] = path;
    if (what % 4 == 2)
        c->bios = "none";
}

static bool load(struct boot *b, const char *path, uint8_t what, uint8_t how,
                 struct err *err)
{
    struct virt_loader l = { .file = path,
                             .addr = 0x80000000 + how * UINT64_C(0x40000),
                             .has_addr = how & 8,
                             .force_raw = how & 16,
                             .cpu = -1 };
    uint64_t entry;

    if (what & 4 && !boot_extra(b, &l, &entry, err))
        return false;
    return boot_load(b, err) && roms_check(b->roms, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    uint8_t what = take8(&b), how = take8(&b);
    char path[64];
    int fd = file_of(b.at, b.left, path, sizeof path);
    struct virt_config config = { .ram_size = RAM_SIZE,
                                  .harts = 1,
                                  .isa = "rv64i",
                                  .isa_list = "i",
                                  .isa_list_len = 2,
                                  .mmu_type = "riscv,sv39" };
    struct mem *mem = mem_new();
    struct boot boot = { .config = &config, .roms = roms_new(mem) };
    struct err err = { 0 };

    mem_add_ram(mem, "mrom", 0x1000, 0xf000, MEM_ROM, &err);
    mem_add_ram(mem, "ram", 0x80000000, RAM_SIZE, MEM_RAM, &err);
    choose(&config, path, what, how);
    if (load(&boot, path, what, how, &err))
        roms_reset(boot.roms);
    else
        assert(err.text[0]);
    boot_free(&boot);
    roms_free(boot.roms);
    mem_free(mem);
    close(fd);
    return 0;
}
