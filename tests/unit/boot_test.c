/* SPDX-License-Identifier: MIT */
/* boot_test.c - what is loaded where, by the rules of QEMU's virt machine. */
#include <criterion/criterion.h>
#include <elf.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/boot.h"
#include "board/virt.h"
#include "emu/bus/images.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"

/* A fw_cfg that remembers what it was given. */
static struct {
    uint16_t key;
    struct buf data;
} items[8];
static int n_items;

void fwcfg_add(struct fwcfg *f, uint16_t key, const void *data, uint32_t len)
{
    (void)f;
    items[n_items].key = key;
    buf_add(&items[n_items++].data, data, len);
}

static const struct buf *item(uint16_t key)
{
    for (int i = 0; i < n_items; i++)
        if (items[i].key == key)
            return &items[i].data;
    return NULL;
}

/* A board with RAM, ROM and flash, but without chips. */
static struct mem *mem;
static struct virt_config config;
static struct boot boot;
static struct err err;
static char folder[] = "/tmp/ebreak-boot-XXXXXX";
static char *paths[8];
static int n_paths;

static void setup(void)
{
    cr_assert(mkdtemp(folder));
    mem = mem_new();
    mem_add_ram(mem, "mrom", 0x1000, 0xf000, MEM_ROM, NULL);
    mem_add_ram(mem, "ram", 0x80000000, 128 << 20, MEM_RAM, NULL);
    config = (struct virt_config){ .ram_size = 128 << 20,
                                   .harts = 1,
                                   .isa = "rv64i",
                                   .isa_list = "i",
                                   .isa_list_len = 2,
                                   .mmu_type = "riscv,sv39" };
    config.data_dirs[0] = folder;
    boot = (struct boot){ .config = &config, .roms = roms_new(mem) };
}

static void teardown(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
    for (int i = 0; i < n_items; i++)
        buf_free(&items[i].data);
    for (int i = 0; i < n_paths; i++)
        free(paths[i]);
    boot_free(&boot);
    roms_free(boot.roms);
    mem_free(mem);
}

TestSuite(boot, .init = setup, .fini = teardown);

/* Writes a file into the folder and returns its path. */
static const char *file(const char *name, const void *data, size_t len)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert(f && fwrite(data, 1, len, f) == len);
    fclose(f);
    return paths[n_paths++] = path;
}

static const char *text_file(const char *name, const char *text)
{
    return file(name, text, strlen(text));
}

struct elf {
    Elf64_Ehdr header;
    Elf64_Phdr segment[2];
    char text[16];
};

/* Two segments, the higher first; the entry is in the middle. */
static struct elf an_elf(uint64_t base)
{
    struct elf e = {
        .header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
                                 EV_CURRENT },
                    .e_type = ET_EXEC,
                    .e_machine = EM_RISCV,
                    .e_version = EV_CURRENT,
                    .e_entry = base + 0x1004,
                    .e_phoff = offsetof(struct elf, segment),
                    .e_ehsize = sizeof e.header,
                    .e_phentsize = sizeof e.segment[0],
                    .e_phnum = 2 },
        .segment = { { .p_type = PT_LOAD,
                       .p_offset = offsetof(struct elf, text) + 8,
                       .p_vaddr = 0xffffffff80001000,
                       .p_paddr = base + 0x1000,
                       .p_filesz = 8,
                       .p_memsz = 0x100 },
                     { .p_type = PT_LOAD,
                       .p_offset = offsetof(struct elf, text),
                       .p_vaddr = 0xffffffff80000000,
                       .p_paddr = base,
                       .p_filesz = 8,
                       .p_memsz = 8 } },
        .text = "lowtext!hightext",
    };
    return e;
}

static const char *elf_file(const char *name, const struct elf *e)
{
    return file(name, e, sizeof *e);
}

static uint64_t word_at(uint64_t addr)
{
    uint64_t v = 0;
    roms_reset(boot.roms);
    cr_assert_eq(mem_peek(mem, addr, &v, 8), 8);
    return v;
}

static void is_at(uint64_t addr, const char *text)
{
    char got[64] = { 0 };
    roms_reset(boot.roms);
    mem_peek(mem, addr, got, strlen(text));
    cr_assert_str_eq(got, text);
}

static void loads(void) { cr_assert(boot_load(&boot, &err), "%s", err.text); }

static void fails(const char *why)
{
    cr_assert_not(boot_load(&boot, &err));
    cr_assert(strstr(err.text, why), "'%s' is not in '%s'", why, err.text);
}

static void chosen_is(const char *name, uint64_t value)
{
    const void *dtb = boot.fdt.data;
    int len;
    const void *p =
        fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), name, &len);
    cr_assert_eq(len, 8);
    cr_assert_eq(fdt64_ld(p), value);
}

Test(boot, reset_vector_has_qemus_words)
{
    config.bios = "none";
    loads();
    cr_assert_eq(word_at(0x1000), 0x0282861300000297);
    cr_assert_eq(word_at(0x1008), 0x0202b583f1402573);
    cr_assert_eq(word_at(0x1010), 0x000280670182b283);
    cr_assert_eq(word_at(0x1018), 0x80000000, "start");
    cr_assert_eq(word_at(0x1020), 0x87e00000, "device tree");
    cr_assert_eq(word_at(0x1028), 0x4942534f, "magic");
    cr_assert_eq(word_at(0x1030), 2, "version");
    cr_assert_eq(word_at(0x1038), 0, "no kernel");
    cr_assert_eq(word_at(0x1040), 1, "S mode");
    cr_assert_eq(word_at(0x1048), 0, "options");
    cr_assert_eq(word_at(0x1050), 0, "boot hart");
}

Test(boot, default_firmware_comes_from_the_data_directories)
{
    text_file("fw_dynamic.bin", "opensbi");
    config.kernel = text_file("Image", "kernel");
    loads();
    is_at(0x80000000, "opensbi");
    is_at(0x80200000, "kernel");
    cr_assert_eq(boot.start, 0x80000000);
    cr_assert_eq(boot.next, 0x80200000);
}

Test(boot, without_bios_and_kernel_there_is_the_demo)
{
    loads();
    cr_assert_eq(boot.next, 0x80000000);
    cr_assert_neq(word_at(0x80000000), 0);
}

Test(boot, a_loader_or_flash_keeps_the_demo_away)
{
    boot.loader_used = true;
    fails("Unable to find the RISC-V BIOS "
          "\"opensbi-riscv64-generic-fw_dynamic.bin\"");
}

Test(boot, missing_firmware_is_named)
{
    config.bios = "nosuch.bin";
    fails("Unable to find the RISC-V BIOS \"nosuch.bin\"");
}

Test(boot, elf_firmware_starts_at_its_entry)
{
    struct elf e = an_elf(0x80100000);
    config.bios = elf_file("fw.elf", &e);
    config.kernel = text_file("Image", "kernel");
    loads();
    cr_assert_eq(boot.start, 0x80101004);
    cr_assert_eq(boot.next, 0x80200000);
}

Test(boot, elf_kernel_is_entered_at_its_lowest_address)
{
    struct elf e = an_elf(0x80400000);
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    loads();
    cr_assert_eq(boot.next, 0x80400000, "not e_entry");
    cr_assert_eq(boot.start, 0x80000000, "not the kernel");
    is_at(0x80400000, "lowtext!");
    is_at(0x80401000, "hightext");
    cr_assert_eq(word_at(0x80401008), 0, "bss is zeroed");
}

Test(boot, segments_are_named_as_in_qemus_info_roms)
{
    struct elf e = an_elf(0x80000000);
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    loads();
    char *want = xasprintf("%s ELF program header segment 1", config.kernel);
    cr_assert_str_eq(rom_nth(boot.roms, 2)->name, want);
    free(want);
}

Test(boot, raw_kernel_follows_at_2_mib_after_the_firmware)
{
    config.bios = "none";
    config.kernel = text_file("Image", "kernel");
    loads();
    cr_assert_eq(boot.next, 0x80000000);
}

Test(boot, initrd_goes_half_of_ram_above_the_kernel)
{
    text_file("fw_dynamic.bin", "opensbi");
    config.kernel = text_file("Image", "kernel");
    config.initrd = text_file("initrd", "ramdisk");
    loads();
    is_at(0x84200000, "ramdisk");
    chosen_is("linux,initrd-start", 0x84200000);
    chosen_is("linux,initrd-end", 0x84200007);
}

Test(boot, append_becomes_bootargs)
{
    config.bios = "none";
    config.kernel = text_file("Image", "kernel");
    config.append = "console=ttyS0";
    loads();
    const void *dtb = boot.fdt.data;
    int node = fdt_path_offset(dtb, "/chosen");
    cr_assert_str_eq(fdt_getprop(dtb, node, "bootargs", NULL), "console=ttyS0");
}

Test(boot, options_that_need_a_kernel_say_so)
{
    config.initrd = "x";
    fails("-initrd only allowed with -kernel option");
    config.initrd = NULL;
    config.append = "x";
    fails("-append only allowed with -kernel option");
}

Test(boot, missing_kernel_is_named)
{
    config.bios = "none";
    config.kernel = "nosuch/Image";
    fails("could not load kernel 'nosuch/Image': No such file or directory");
}

static size_t gzip(const char *text, unsigned char *out, size_t size)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text,
                   .avail_in = (uInt)strlen(text),
                   .next_out = out,
                   .avail_out = (uInt)size };
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = z.total_out;
    deflateEnd(&z);
    return len;
}

Test(boot, gzipped_kernel_is_unpacked)
{
    unsigned char packed[256];
    size_t len = gzip("the unpacked kernel", packed, sizeof packed);
    config.bios = "none";
    config.kernel = file("Image.gz", packed, len);
    loads();
    is_at(0x80000000, "the unpacked kernel");
}

Test(boot, damaged_gzip_is_one_sentence)
{
    unsigned char packed[256];
    size_t len = gzip("the unpacked kernel", packed, sizeof packed);
    config.bios = "none";
    config.kernel = file("Image.gz", packed, len - 12);
    fails("its gzip data is damaged or cut short");
}

/* An EFI zboot image around a payload. */
static const char *zboot(const char *kind, const void *payload, size_t len)
{
    unsigned char image[512] = "MZ";
    uint32_t where[2] = { 128, (uint32_t)len };
    memcpy(image + 4, "zimg", 4);
    memcpy(image + 8, where, 8);
    strcpy((char *)image + 24, kind);
    memcpy(image + 128, payload, len);
    return file("vmlinuz.efi", image, 128 + len);
}

Test(boot, zboot_kernel_with_gzip_is_unpacked)
{
    unsigned char packed[256];
    size_t len = gzip("the unpacked kernel", packed, sizeof packed);
    config.bios = "none";
    config.kernel = zboot("gzip", packed, len);
    loads();
    is_at(0x80000000, "the unpacked kernel");
}

Test(boot, zboot_kernel_with_zstd_is_unpacked)
{
    char packed[256];
    const char *text = "the unpacked kernel";
    size_t len = ZSTD_compress(packed, sizeof packed, text, strlen(text), 3);
    config.bios = "none";
    config.kernel = zboot("zstd", packed, len);
    loads();
    is_at(0x80000000, "the unpacked kernel");
}

Test(boot, zboot_with_another_compression_names_it)
{
    config.bios = "none";
    config.kernel = zboot("xzkern", "...", 3);
    fails("packed with 'xzkern'");
}

Test(boot, zboot_payload_outside_of_the_file_is_refused)
{
    unsigned char image[64] = "MZ";
    uint32_t where[2] = { 0xfffffff0, 0xfffffff0 };
    memcpy(image + 4, "zimg", 4);
    memcpy(image + 8, where, 8);
    strcpy((char *)image + 24, "gzip");
    config.bios = "none";
    config.kernel = file("vmlinuz.efi", image, sizeof image);
    fails("cut short");
}

/* A U-Boot header of 64 bytes. */
static const char *uimage(uint8_t type, const char *text)
{
    unsigned char image[128] = { 0x27, 0x05, 0x19, 0x56 };
    image[15] = (unsigned char)strlen(text);
    image[16] = 0x80;
    image[17] = 0x30; /* load: 0x80300000 */
    image[20] = 0x80;
    image[21] = 0x40; /* entry: 0x80400000 */
    image[30] = type;
    memcpy(image + 64, text, strlen(text));
    return file("uImage", image, sizeof image);
}

Test(boot, uimage_goes_to_its_load_address)
{
    config.bios = "none";
    config.kernel = uimage(2, "u-boot kernel");
    loads();
    is_at(0x80300000, "u-boot kernel");
    cr_assert_eq(boot.next, 0x80300000);
    cr_assert_eq(rom_nth(boot.roms, 2)->size, strlen("u-boot kernel"));
}

Test(boot, uimage_of_another_type_is_no_kernel)
{
    config.bios = "none";
    config.kernel = uimage(3, "ramdisk");
    fails("Wrong image type 3, expected 2");
}

Test(boot, elf_of_another_architecture_is_named)
{
    struct elf e = an_elf(0x80000000);
    e.header.e_machine = EM_X86_64;
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    fails("it is for x86-64 (ELF machine 62); this machine needs one for "
          "64-bit RISC-V");
}

Test(boot, image_of_another_architecture_is_named)
{
    char image[128] = "MZ";
    memcpy(image + 0x38, "ARM\x64", 4);
    config.bios = "none";
    config.kernel = file("Image", image, sizeof image);
    fails("it is for AArch64");
}

Test(boot, elf_for_32_bits_is_refused)
{
    Elf32_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB,
                                  EV_CURRENT },
                     .e_type = ET_EXEC,
                     .e_machine = EM_RISCV,
                     .e_version = EV_CURRENT,
                     .e_ehsize = sizeof h };
    config.bios = "none";
    config.kernel = file("kernel32", &h, sizeof h);
    fails("32-bit RISC-V");
}

Test(boot, elf_segment_beyond_the_file_is_refused)
{
    struct elf e = an_elf(0x80000000);
    e.segment[0].p_offset = UINT64_MAX - 4;
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    fails("ELF program header 0 is damaged");
}

Test(boot, elf_header_cut_short_is_refused)
{
    struct elf e = an_elf(0x80000000);
    config.bios = "none";
    config.kernel = file("vmlinux", &e, 20);
    fails("damaged ELF file");
}

Test(boot, elf_segment_outside_of_memory_is_refused)
{
    struct elf e = an_elf(0x80000000);
    e.segment[0].p_memsz = UINT64_C(1) << 40;
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    cr_assert_not(boot_load(&boot, &err));
}

Test(boot, overlapping_images_are_refused)
{
    struct elf e = an_elf(0x80000000);
    text_file("fw_dynamic.bin", "opensbi");
    config.kernel = elf_file("vmlinux", &e);
    fails("Some ROM regions are overlapping");
}

Test(boot, device_tree_must_fit_above_the_kernel)
{
    static char big[127 << 20];
    config.bios = "none";
    config.kernel = file("Image", big, sizeof big);
    fails("No enough memory to place DTB after kernel/initrd");
}

Test(boot, kernel_larger_than_memory_is_refused)
{
    static char big[129 << 20];
    config.bios = "none";
    config.kernel = file("Image", big, sizeof big);
    fails("it does not fit into memory (-m)");
}

Test(boot, a_device_is_no_kernel)
{
    config.bios = "none";
    config.kernel = "/dev/zero";
    fails("it is not a regular file");
}

Test(boot, a_users_device_tree_replaces_the_whole_one)
{
    char dtb[256];
    fdt_create_empty_tree(dtb, sizeof dtb);
    config.bios = "none";
    config.dtb = file("my.dtb", dtb, sizeof dtb);
    loads();
    cr_assert_lt(fdt_path_offset(boot.fdt.data, "/soc"), 0);
}

Test(boot, what_is_no_device_tree_is_refused)
{
    config.bios = "none";
    config.dtb = text_file("my.dtb", "nonsense");
    fails("not a device tree blob");
}

Test(boot, flash_without_firmware_is_where_it_starts)
{
    config.bios = "none";
    config.pflash[0] = "code.fd";
    loads();
    cr_assert_eq(boot.start, 0x20000000);
    cr_assert_eq(boot.next, 0);
}

Test(boot, flash_with_firmware_is_where_it_goes_next)
{
    text_file("fw_dynamic.bin", "opensbi");
    config.pflash[0] = "code.fd";
    config.kernel = text_file("Image", "kernel");
    config.initrd = text_file("initrd", "ramdisk");
    config.append = "quiet";
    loads();
    cr_assert_eq(boot.start, 0x80000000);
    cr_assert_eq(boot.next, 0x20000000);
    cr_assert_str_eq(buf_text(item(0x11)), "kernel");
    cr_assert_str_eq(buf_text(item(0x12)), "ramdisk");
    cr_assert_str_eq(buf_text(item(0x15)), "quiet");
    cr_assert_eq(item(0x08)->data[0], 6);
    cr_assert_eq(item(0x14)->data[0], 6, "with its final zero");
    const void *dtb = boot.fdt.data;
    int node = fdt_path_offset(dtb, "/chosen");
    cr_assert_null(fdt_getprop(dtb, node, "bootargs", NULL));
}

Test(boot, loader_puts_a_file_at_its_address)
{
    struct virt_loader l = { .file = text_file("os.bin", "os"),
                             .addr = 0x80200000,
                             .cpu = -1 };
    uint64_t entry;
    cr_assert(boot_extra(&boot, &l, &entry, &err), "%s", err.text);
    is_at(0x80200000, "os");
}

Test(boot, loader_gives_a_cpu_the_entry_of_an_elf)
{
    struct elf e = an_elf(0x80200000);
    struct virt_loader l = { .file = elf_file("os.elf", &e), .cpu = 0 };
    uint64_t entry;
    cr_assert(boot_extra(&boot, &l, &entry, &err), "%s", err.text);
    cr_assert_eq(entry, 0x80201004);
}

Test(boot, loader_writes_numbers)
{
    struct virt_loader l = {
        .data = 0x1122334455667788, .data_len = 4, .addr = 0x80001000, .cpu = -1
    };
    uint64_t entry;
    cr_assert(boot_extra(&boot, &l, &entry, &err));
    cr_assert_eq(word_at(0x80001000), 0x55667788);
    l.data_len = 9;
    cr_assert_not(boot_extra(&boot, &l, &entry, &err));
    cr_assert_str_eq(err.text, "data-len cannot be greater than 8 bytes");
    l.data_len = 0;
    cr_assert_not(boot_extra(&boot, &l, &entry, &err));
    cr_assert_str_eq(err.text, "Both data and data-len must be specified");
}

Test(boot, debuggers_learn_where_a_program_is_and_was_linked)
{
    struct elf e = an_elf(0x80000000);
    const struct image *i;
    uint64_t pa = 0;
    config.bios = "none";
    config.kernel = elf_file("vmlinux", &e);
    loads();
    i = images_nth(roms_images(boot.roms), 0);
    cr_assert(i && i->elf && i->role == IMAGE_KERNEL);
    cr_expect_str_eq(strrchr(i->path, '/'), "/vmlinux");
    cr_expect(images_physical(roms_images(boot.roms), 0xffffffff80001080, &pa));
    cr_expect_eq(pa, 0x80001080);
    cr_expect_null(images_nth(roms_images(boot.roms), 1));
}
