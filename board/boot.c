/* SPDX-License-Identifier: MIT */
/*
 * boot.c - which image goes where, and where the harts begin.
 *
 * The rules are those of QEMU's virt machine, surprises included: a kernel is
 * entered at its lowest address whatever its ELF entry says, and with -bios
 * none the reset vector goes to the start of RAM whatever the kernel is.
 */
#include "board/boot.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/files.h"
#include "emu/base/log.h"

#include "board/demo/demo.h"
#include "board/fdt.h"
#include "board/image.h"
#include "board/map.h"
#include "board/virt.h"
#include "emu/bus/images.h"
#include "emu/bus/rom.h"

#define MIB (UINT64_C(1) << 20)
enum { KERNEL_ALIGN = 2 << 20, FDT_ALIGN = 2 << 20 };

/* Debian's qemu package and its opensbi package have a name each for it. */
static const char *const default_firmware[] = {
    "opensbi-riscv64-generic-fw_dynamic.bin",
    "fw_dynamic.bin",
};

/* fw_cfg items (QEMU, include/standard-headers/linux/qemu_fw_cfg.h). */
enum {
    FWCFG_KERNEL_SIZE = 0x08,
    FWCFG_INITRD_SIZE = 0x0b,
    FWCFG_KERNEL_DATA = 0x11,
    FWCFG_INITRD_DATA = 0x12,
    FWCFG_CMDLINE_SIZE = 0x14,
    FWCFG_CMDLINE_DATA = 0x15,
};

/* Segments of one ELF file become roms; the name is QEMU's. */
struct elf_target {
    struct roms *roms;
    const char *name;
};

static void add_segment(void *opaque, int n, uint64_t addr, const void *data,
                        size_t len, uint64_t size)
{
    struct elf_target *t = opaque;
    char *name = xasprintf("%s ELF program header segment %d", t->name, n);
    rom_add(t->roms, name, addr, data, len, size);
    free(name);
}

static struct image *note(struct boot *b, enum image_role role,
                          const char *name)
{
    bool demo = !b->config->kernel && role == IMAGE_KERNEL;
    const struct buf *kept = files_kept(b->config->files, name);
    if (demo)
        return images_add(roms_images(b->roms), role, "/demo.elf", demo_kernel,
                          demo_kernel_size);
    return images_add(roms_images(b->roms), role, name,
                      kept ? buf_text(kept) : NULL, kept ? kept->len : 0);
}

static bool add_elf(struct boot *b, enum image_role role, const char *name,
                    const struct buf *file, struct elf_bounds *bounds,
                    struct err *err)
{
    struct elf_target t = { b->roms, name };
    if (!elf_segments(file, add_segment, &t, bounds, err))
        return false;
    elf_describe(file, note(b, role, name));
    return true;
}

static void add_raw(struct boot *b, enum image_role role, const char *name,
                    const struct buf *file, uint64_t addr)
{
    rom_add(b->roms, name, addr, file->data, file->len, file->len);
    image_add_segment(note(b, role, name), addr, addr, file->len);
}

static uint64_t ram_end(const struct boot *b)
{
    return virt_map[MAP_DRAM].base + b->config->ram_size;
}

/* Firmware */

static char *find_in_dirs(const struct virt_config *c, const char *name)
{
    for (size_t i = 0; i < 8 && c->data_dirs[i]; i++) {
        char *path = xasprintf("%s/%s", c->data_dirs[i], name);
        if (files_exist(c->files, path))
            return path;
        free(path);
    }
    return NULL;
}

static char *find_default_firmware(const struct virt_config *c)
{
    size_t n = sizeof default_firmware / sizeof *default_firmware;
    for (size_t i = 0; i < n; i++) {
        char *path = find_in_dirs(c, default_firmware[i]);
        if (path)
            return path;
    }
    return NULL;
}

static bool load_firmware_file(struct boot *b, const char *path,
                               struct err *err)
{
    struct buf file = { 0 };
    struct elf_bounds bounds = { 0 };
    bool ok = files_read(b->config->files, path, &file, err);
    if (ok && elf_is(&file)) {
        ok = add_elf(b, IMAGE_FIRMWARE, path, &file, &bounds, err);
        b->start = ok ? bounds.entry : 0;
        b->firmware_end = ok ? bounds.high : 0;
    } else if (ok) {
        add_raw(b, IMAGE_FIRMWARE, path, &file, b->start);
        b->firmware_end = b->start + file.len;
    }
    buf_free(&file);
    return ok || err_prefix(err, "could not load firmware '%s'", path);
}

static bool is_default(const char *bios)
{
    return !bios || !strcmp(bios, "default");
}

static bool load_firmware(struct boot *b, struct err *err)
{
    const char *bios = b->config->bios;
    b->start = b->firmware_end = virt_map[MAP_DRAM].base;
    if (bios && !strcmp(bios, "none"))
        return true;
    char *path = NULL;
    if (is_default(bios))
        path = find_default_firmware(b->config);
    else
        path = files_exist(b->config->files, bios)
                   ? xstrdup(bios)
                   : find_in_dirs(b->config, bios);
    if (!path)
        return err_set(err, "Unable to find the RISC-V BIOS \"%s\"",
                       is_default(bios) ? default_firmware[0] : bios);
    bool ok = load_firmware_file(b, path, err);
    free(path);
    return ok;
}

/* Kernel */

static bool place_uimage(struct boot *b, const char *name, struct buf *file,
                         const struct uimage *u, uint64_t raw_base,
                         struct err *err)
{
    if (u->type != UIMAGE_KERNEL && u->type != UIMAGE_KERNEL_NOLOAD)
        return err_set(err, "Wrong image type %d, expected %d", u->type,
                       UIMAGE_KERNEL);
    if (!uimage_strip(file, err))
        return false;
    b->kernel_low = u->type == UIMAGE_KERNEL ? u->load : raw_base;
    b->kernel_high = b->kernel_low + file->len;
    add_raw(b, IMAGE_KERNEL, name, file, b->kernel_low);
    return true;
}

static bool place_kernel(struct boot *b, const char *name, struct buf *file,
                         struct err *err)
{
    struct elf_bounds bounds = { 0 };
    struct uimage u;
    uint64_t base =
        (b->firmware_end + KERNEL_ALIGN - 1) & ~(uint64_t)(KERNEL_ALIGN - 1);
    if (!image_unpack(file, err) || !image_is_riscv(file, err))
        return false;
    if (elf_is(file)) {
        if (!add_elf(b, IMAGE_KERNEL, name, file, &bounds, err))
            return false;
        b->kernel_low = bounds.low;
        b->kernel_high = bounds.high;
        return true;
    }
    if (uimage_parse(file, &u))
        return place_uimage(b, name, file, &u, base, err);
    if (file->len == 0)
        return err_set(err, "it is empty");
    if (base + file->len > ram_end(b))
        return err_set(err, "it does not fit into memory (-m)");
    b->kernel_low = base;
    b->kernel_high = base + file->len;
    add_raw(b, IMAGE_KERNEL, name, file, base);
    return true;
}

/* A U-Boot header is taken off, as QEMU does; cpio stays as it is. */
static bool strip_ramdisk(struct buf *file, struct err *err)
{
    struct uimage u;
    if (!uimage_parse(file, &u) || u.type != UIMAGE_RAMDISK)
        return true;
    return uimage_strip(file, err);
}

static bool load_initrd(struct boot *b, struct err *err)
{
    const char *path = b->config->initrd;
    uint64_t half = b->config->ram_size / 2;
    struct buf file = { 0 };
    if (!path)
        return true;
    bool ok = files_read(b->config->files, path, &file, err) &&
              strip_ramdisk(&file, err);
    if (ok) {
        b->initrd_start = b->kernel_low + (half < 512 * MIB ? half : 512 * MIB);
        b->initrd_end = b->initrd_start + file.len;
        add_raw(b, IMAGE_RAMDISK, path, &file, b->initrd_start);
    }
    buf_free(&file);
    return ok || err_prefix(err, "could not load ramdisk '%s'", path);
}

static bool load_kernel(struct boot *b, struct err *err)
{
    const char *path = b->config->kernel;
    struct buf file = { 0 };
    bool ok = files_read(b->config->files, path, &file, err) &&
              place_kernel(b, path, &file, err);
    buf_free(&file);
    b->next = b->kernel_low;
    if (!ok)
        return err_prefix(err, "could not load kernel '%s'", path);
    return load_initrd(b, err);
}

/* Without -bios and -kernel there is still something to look at. */
static bool load_demo(struct boot *b, struct err *err)
{
    struct buf file = { 0 };
    buf_add(&file, demo_kernel, demo_kernel_size);
    b->start = b->firmware_end = virt_map[MAP_DRAM].base;
    bool ok = place_kernel(b, "demo", &file, err);
    buf_free(&file);
    b->next = b->kernel_low;
    return ok || err_prefix(err, "could not load the demo kernel");
}

/* Flash bank 0 has the S-mode firmware: it gets the kernel by fw_cfg. */

static bool fwcfg_image(struct boot *b, const char *path, bool unpack,
                        uint16_t size_key, uint16_t data_key, struct err *err)
{
    struct buf file = { 0 };
    bool ok = files_read(b->config->files, path, &file, err) &&
              (!unpack || image_unpack(&file, err));
    uint8_t size[4];
    for (int i = 0; i < 4; i++)
        size[i] = (uint8_t)(file.len >> 8 * i);
    if (ok) {
        fwcfg_add(b->fwcfg, size_key, size, sizeof size);
        fwcfg_add(b->fwcfg, data_key, file.data, (uint32_t)file.len);
    }
    buf_free(&file);
    return ok || err_prefix(err, "failed to load \"%s\"", path);
}

static bool hand_over_by_fwcfg(struct boot *b, struct err *err)
{
    const struct virt_config *c = b->config;
    const char *append = c->append ? c->append : "";
    uint32_t len = (uint32_t)strlen(append) + 1;
    uint8_t size[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                        (uint8_t)(len >> 24) };
    b->next = virt_map[MAP_FLASH0].base;
    if (!c->kernel)
        return true;
    if (!fwcfg_image(b, c->kernel, true, FWCFG_KERNEL_SIZE, FWCFG_KERNEL_DATA,
                     err))
        return false;
    if (c->initrd && !fwcfg_image(b, c->initrd, false, FWCFG_INITRD_SIZE,
                                  FWCFG_INITRD_DATA, err))
        return false;
    fwcfg_add(b->fwcfg, FWCFG_CMDLINE_SIZE, size, sizeof size);
    fwcfg_add(b->fwcfg, FWCFG_CMDLINE_DATA, append, len);
    return true;
}

/* Device tree */

static bool read_dtb(struct boot *b, struct err *err)
{
    const char *path = b->config->dtb;
    if (files_read(b->config->files, path, &b->fdt, err) &&
        fdt_accept(&b->fdt, err))
        return true;
    return err_prefix(err, "could not load device tree '%s'", path);
}

/* As high as possible, so that a growing kernel does not run into it. */
static bool place_fdt(struct boot *b, struct err *err)
{
    uint64_t low = virt_map[MAP_DRAM].base;
    uint64_t high = ram_end(b);
    uint64_t used =
        b->initrd_end > b->kernel_high ? b->initrd_end : b->kernel_high;
    bool loaded_here = used > low && used <= high;
    b->fdt_addr = (high - b->fdt.len) & ~(uint64_t)(FDT_ALIGN - 1);
    if (b->fdt.len > b->config->ram_size || b->fdt_addr < low ||
        (loaded_here && b->fdt_addr < used))
        return err_set(err,
                       "No enough memory to place DTB after kernel/initrd");
    rom_add(b->roms, "fdt", b->fdt_addr, b->fdt.data, b->fdt.len, b->fdt.len);
    return true;
}

static bool load_fdt(struct boot *b, struct err *err)
{
    const struct virt_config *c = b->config;
    bool loaded = c->kernel && b->kernel_high;
    if (c->dtb && !read_dtb(b, err))
        return false;
    if (!c->dtb)
        fdt_build(c, &b->fdt);
    return fdt_choose(&b->fdt, loaded ? c->append : NULL, b->initrd_start,
                      b->initrd_end, err) &&
           place_fdt(b, err);
}

/* Reset vector */

static void load_reset_vector(struct boot *b)
{
    static const uint32_t code[] = {
        0x00000297, /* auipc t0, 0 */
        0x02828613, /* addi  a2, t0, 0x28: the fw_dynamic information */
        0xf1402573, /* csrr  a0, mhartid */
        0x0202b583, /* ld    a1, 0x20(t0): the device tree */
        0x0182b283, /* ld    t0, 0x18(t0): the start address */
        0x00028067, /* jr    t0 */
    };
    enum { OSBI = 0x4942534f, VERSION = 2, NEXT_S_MODE = 1 };
    const uint64_t info[] = { OSBI, VERSION, b->next, NEXT_S_MODE, 0, 0 };
    const uint64_t where[] = { b->start, b->fdt_addr };
    uint64_t base = virt_map[MAP_MROM].base;
    uint8_t image[sizeof code + sizeof where];
    memcpy(image, code, sizeof code);
    memcpy(image + sizeof code, where, sizeof where);
    rom_add(b->roms, "mrom.reset", base, image, sizeof image, sizeof image);
    rom_add(b->roms, "mrom.finfo", base + sizeof image, info, sizeof info,
            sizeof info);
}

/* -device loader */

static bool extra_file(struct boot *b, const struct virt_loader *l,
                       struct buf *file, uint64_t *entry, struct err *err)
{
    struct elf_bounds bounds = { 0 };
    struct uimage u;
    if (!files_read(b->config->files, l->file, file, err))
        return false;
    if (!l->force_raw && elf_is(file)) {
        bool ok = add_elf(b, IMAGE_LOADER, l->file, file, &bounds, err);
        *entry = ok ? bounds.entry : 0;
        return ok;
    }
    *entry = l->addr;
    uint64_t addr = l->addr;
    if (!l->force_raw && uimage_parse(file, &u)) {
        if (!uimage_strip(file, err))
            return false;
        *entry = u.entry;
        addr = u.load;
    }
    add_raw(b, IMAGE_LOADER, l->file, file, addr);
    return true;
}

static bool extra_data(struct boot *b, const struct virt_loader *l,
                       struct err *err)
{
    uint8_t bytes[8];
    if (l->data_len == 0)
        return err_set(err, "Both data and data-len must be specified");
    if (l->data_len > sizeof bytes)
        return err_set(err, "data-len cannot be greater than 8 bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(l->data >> 8 * i);
    rom_add(b->roms, "loader", l->addr, bytes, l->data_len, l->data_len);
    return true;
}

bool boot_extra(struct boot *b, const struct virt_loader *l, uint64_t *entry,
                struct err *err)
{
    b->loader_used = true;
    *entry = l->addr;
    if (!l->file && l->data_len == 0 && l->cpu >= 0)
        return true;
    if (!l->file)
        return extra_data(b, l, err);
    struct buf file = { 0 };
    bool ok = extra_file(b, l, &file, entry, err);
    buf_free(&file);
    return ok || err_prefix(err, "Cannot load specified image %s", l->file);
}

static bool load_system(struct boot *b, struct err *err)
{
    const struct virt_config *c = b->config;
    bool flash = c->pflash[0], none = c->bios && !strcmp(c->bios, "none");
    if (!c->bios && !c->kernel && !flash && !b->loader_used)
        return load_demo(b, err);
    if (!load_firmware(b, err))
        return false;
    if (flash && none)
        b->start = virt_map[MAP_FLASH0].base;
    else if (flash)
        return hand_over_by_fwcfg(b, err);
    return !c->kernel || load_kernel(b, err);
}

bool boot_load(struct boot *b, struct err *err)
{
    if (b->config->initrd && !b->config->kernel)
        return err_set(err, "-initrd only allowed with -kernel option");
    if (b->config->append && *b->config->append && !b->config->kernel)
        return err_set(err, "-append only allowed with -kernel option");
    if (!load_system(b, err) || !load_fdt(b, err))
        return false;
    load_reset_vector(b);
    return roms_check(b->roms, err);
}

void boot_free(struct boot *b) { buf_free(&b->fdt); }
