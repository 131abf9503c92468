/* SPDX-License-Identifier: MIT */
/*
 * fuzz_modules.c - a hostile Linux: its types, its list of modules, a ramdisk.
 *
 * The first byte chooses: the rest is a blob of types, a ramdisk, or what is
 * written into the memory of a guest with two modules, in parts of an address
 * and eight bytes. gdb then reads the list, and the file of each module in it.
 */
#include <assert.h>

#include "tests/fuzz/bytes.h"
#include "tests/unit/fake_linux.c"

static void read_types(struct bytes *b)
{
    struct kernel_layout l;

    kernel_layout_of(&l, b->at, b->left);
}

static void read_ramdisk(struct bytes *b)
{
    struct kofiles *k = kofiles_new(machine, NULL, 0);
    struct build_id id = { { 'i', 'd' }, 2 };
    struct buf out = { 0 };

    machine->ramdisk = b->at;
    machine->ramdisk_len = b->left;
    machine->no_images = false;
    if (kofiles_find(k, "m", &id, &out))
        assert(out.len >= 2);
    buf_free(&out);
    kofiles_free(k);
}

/* Opens the file whose name is at name, which is well-formed XML. */
static void read_file(const char *name, size_t len)
{
    struct buf b = { 0 };

    buf_str(&b, "vFile:open:");
    buf_hex(&b, name, len);
    buf_str(&b, ",0,0");
    if (strncmp(ask(buf_text(&b)), "F1", 2) == 0) {
        assert(strncmp(ask("vFile:pread:100000,1000,0"), "F", 1) == 0);
        ask("vFile:close:100000");
    }
    buf_free(&b);
}

static void read_list(void)
{
    static const char name[] = "<library name=\"";
    char *list = strdup(ask("qXfer:libraries:read::0,10000")), *at = list;

    while ((at = strstr(at, name))) {
        at += sizeof name - 1;
        assert(strchr(at, '"'));
        read_file(at, (size_t)(strchr(at, '"') - at));
    }
    ask("qXfer:osdata:read:modules:0,10000");
    free(list);
}

static void poke_memory(struct bytes *b)
{
    boot(b->left & 1);
    insmod(0x200, "one", b->left & 1);
    insmod(0x400, "two", b->left & 1);
    while (b->left) {
        uint16_t at = take16(b) % (FAKE_RAM - 8);

        put(at, take64(b));
        know(0x1000);
    }
    read_list();
    ask("vCont;c");
    if (machine->points && machine->point[0].asks)
        machine->point[0].asks(machine->point[0].asks_opaque, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    uint8_t how = take8(&b) % 3;

    gdb_start(2);
    if (how == 0)
        read_types(&b);
    else if (how == 1)
        read_ramdisk(&b);
    else
        poke_memory(&b);
    gdb_end();
    return 0;
}
