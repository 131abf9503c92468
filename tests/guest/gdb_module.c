/* SPDX-License-Identifier: MIT */
/*
 * gdb_module.c - a module for Debian's kernel, with debug information, made
 * without that kernel's headers: what of it depends on the kernel comes from
 * one of its own modules (tests/e2e/boot_modules.py).
 *
 * VERMAGIC, LAYOUT (the checksum of module_layout), and how many bytes into
 * struct module, of SIZE, the pointers to INIT and EXIT are.
 */
#define INFO(name, text)                                                       \
    static const char name[] __attribute__((used, section(".modinfo"))) = text

INFO(info_vermagic, "vermagic=" VERMAGIC);
INFO(info_license, "license=GPL");
INFO(info_name, "name=gdb_module");

static const struct {
    unsigned long crc;
    char name[56];
} versions[] __attribute__((
    used, section("__versions"))) = { { LAYOUT, "module_layout" } };

static int numbers[4];

__attribute__((noinline)) int gdb_module_sum(int times)
{
    int sum = 0;

    for (int n = 0; n < 4; n++)
        sum += numbers[n] * times;
    return sum;
}

static int start(void)
{
    numbers[2] = 7;
    return gdb_module_sum(3) - 21;
}

static void stop(void) { numbers[2] = 0; }

static struct {
    char before_name[24], name[56], before_init[INIT - 80];
    int (*init)(void);
    char before_exit[EXIT - INIT - 8];
    void (*exit)(void);
    char rest[SIZE - EXIT - 8];
} this_module
    __attribute__((used, section(".gnu.linkonce.this_module"), aligned(64))) = {
        .name = "gdb_module", .init = start, .exit = stop
    };
