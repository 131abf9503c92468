/* SPDX-License-Identifier: MIT */
/* kofiles_test.c - modules' files in ramdisks and folders, packed or not. */
#include <criterion/criterion.h>
#include <lzma.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "gdbstub/modules.h"
#include "tests/unit/fake_debug.c"

static struct machine *machine;
static struct kofiles *files;
static struct buf found;

static void setup(void) { machine = fake_new(1); }

static void teardown(void)
{
    kofiles_free(files);
    buf_free(&found);
    fake_free(machine);
}

TestSuite(kofiles, .init = setup, .fini = teardown);

/* Packing ------------------------------------------------------------------ */

static void add_entry(struct buf *out, const char *name, const struct buf *data)
{
    buf_printf(out,
               "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1,
               0100644, 0, 0, 1, 0, (unsigned)data->len, 0, 0, 0, 0,
               (unsigned)strlen(name) + 1, 0);
    buf_add(out, name, strlen(name) + 1);
    while (out->len % 4)
        buf_chr(out, '\0');
    buf_add(out, data->data, data->len);
    while (out->len % 4)
        buf_chr(out, '\0');
}

#define DEBUG " .debug_info"

static void add_text(struct buf *out, const char *name, const char *text)
{
    struct buf b = { 0 };

    buf_str(&b, text);
    buf_str(&b, DEBUG);
    add_entry(out, name, &b);
    buf_free(&b);
}

enum packer { PLAIN, GZIP, XZ, ZSTD };

static void pack_gzip(struct buf *out, const void *data, size_t len)
{
    z_stream z = { .next_in = (void *)(uintptr_t)data, .avail_in = (uInt)len };
    size_t room = len + 1000;
    uint8_t *to = malloc(room);

    deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    z.next_out = to;
    z.avail_out = (uInt)room;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_add(out, to, room - z.avail_out);
    deflateEnd(&z);
    free(to);
}

static void pack_xz(struct buf *out, const void *data, size_t len)
{
    size_t room = len + 1000, n = 0;
    uint8_t *to = malloc(room);

    cr_assert_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, data, len,
                                         to, &n, room),
                 LZMA_OK);
    buf_add(out, to, n);
    free(to);
}

static void pack(enum packer how, struct buf *out, const struct buf *data)
{
    size_t room = ZSTD_compressBound(data->len);
    uint8_t *to = malloc(room);

    if (how == PLAIN)
        buf_add(out, data->data, data->len);
    else if (how == GZIP)
        pack_gzip(out, data->data, data->len);
    else if (how == XZ)
        pack_xz(out, data->data, data->len);
    else
        buf_add(out, to, ZSTD_compress(to, room, data->data, data->len, 3));
    free(to);
}

/* Finding ------------------------------------------------------------------ */

static void load(const struct buf *ramdisk)
{
    machine->ramdisk = ramdisk->data;
    machine->ramdisk_len = ramdisk->len;
    kofiles_free(files);
    files = kofiles_new(machine, NULL, 0);
}

/* The file of the module that has this in it, or "". */
static const char *find(const char *module, const char *text)
{
    struct build_id id = { .len = strlen(text) };

    memcpy(id.bytes, text, id.len);
    buf_clear(&found);
    if (!kofiles_find(files, module, &id, &found))
        return "";
    cr_assert_str_eq(found.data + found.len - strlen(DEBUG), DEBUG);
    found.data[found.len - strlen(DEBUG)] = '\0';
    return found.data;
}

#define FINDS(module, id, text) cr_expect_str_eq(find(module, id), text)

Test(kofiles, a_file_is_found_by_its_modules_name_and_taken_by_its_id)
{
    struct buf b = { 0 };

    add_text(&b, "lib", "");
    add_text(&b, "lib/modules/a-b.ko", "first id-1");
    add_text(&b, "old/a_b.ko", "second id-2");
    add_text(&b, "a_b", "third id-3");
    add_text(&b, "a_b.kong", "fourth id-4");
    add_text(&b, "lib/x.ko", "fifth id-1");
    load(&b);
    FINDS("a_b", "id-1", "first id-1");
    FINDS("a_b", "id-2", "second id-2");
    FINDS("a_b", "id-3", "");
    FINDS("a_b", "id-4", "");
    FINDS("x", "id-1", "fifth id-1");
    FINDS("lib/x", "id-1", "fifth id-1");
    FINDS("", "id-1", "");
    buf_free(&b);
}

Test(kofiles, archives_come_one_behind_the_other_each_packed_its_own_way)
{
    struct buf all = { 0 };

    for (int how = PLAIN; how <= ZSTD; how++) {
        struct buf b = { 0 };
        char name[32], text[32];

        snprintf(name, sizeof name, "lib/m%d.ko", how);
        snprintf(text, sizeof text, "file of id-%d", how);
        add_text(&b, name, text);
        add_text(&b, "TRAILER!!!", "");
        pack((enum packer)how, &all, &b);
        buf_add(&all, "\0\0\0\0\0\0\0", 1 + how % 2 * 6);
        buf_free(&b);
    }
    load(&all);
    FINDS("m0", "id-0", "file of id-0");
    FINDS("m1", "id-1", "file of id-1");
    FINDS("m2", "id-2", "file of id-2");
    FINDS("m3", "id-3", "file of id-3");
    buf_free(&all);
}

Test(kofiles, modules_may_be_packed_themselves)
{
    struct buf b = { 0 }, all = { 0 }, text = { 0 }, packed = { 0 };

    buf_str(&text, "a file with id-1" DEBUG);
    pack(XZ, &packed, &text);
    add_entry(&b, "lib/m.ko.xz", &packed);
    packed.data[packed.len / 2] ^= 1;
    add_entry(&b, "lib/n.ko.xz", &packed);
    pack(ZSTD, &all, &b);
    load(&all);
    FINDS("m", "id-1", "a file with id-1");
    FINDS("n", "id-1", "");
    buf_free(&b);
    buf_free(&all);
    buf_free(&text);
    buf_free(&packed);
}

Test(kofiles, one_without_debug_information_is_of_no_use)
{
    struct buf b = { 0 }, text = { 0 };

    buf_str(&text, "stripped: id-1");
    add_entry(&b, "lib/m.ko", &text);
    load(&b);
    FINDS("m", "id-1", "");
    buf_free(&b);
    add_entry(&b, "lib/m.ko", &text);
    add_text(&b, "lib/debug/m.ko", "whole: id-1");
    load(&b);
    FINDS("m", "id-1", "whole: id-1");
    buf_free(&b);
    buf_free(&text);
}

Test(kofiles, what_unpacks_to_more_than_it_may_is_given_up)
{
    struct buf big = { 0 }, packed = { 0 }, out = { 0 };

    for (int i = 0; i < 1 << 18; i++)
        buf_add(&big, "0123456789abcdef", 16);
    for (int how = GZIP; how <= ZSTD; how++) {
        buf_clear(&packed);
        buf_clear(&out);
        pack((enum packer)how, &packed, &big);
        cr_expect_eq(unpack(packed.data, packed.len, &out, 1000), 0);
        cr_expect_lt(out.len, 1 << 17);
        buf_clear(&out);
        cr_expect_eq(unpack(packed.data, packed.len, &out, big.len),
                     packed.len);
        cr_expect_eq(out.len, big.len);
    }
    buf_free(&big);
    buf_free(&packed);
    buf_free(&out);
}

/* The bytes lie at the end of memory of their own: ASan sees who goes past. */
static void look_through(const char *data, size_t len)
{
    char *copy = malloc(len + 1);
    struct buf b = { copy, len, len };

    memcpy(copy, data, len);
    load(&b);
    find("m", "id-1");
    free(copy);
}

Test(kofiles, no_byte_of_a_ramdisk_is_trusted)
{
    for (int how = PLAIN; how <= ZSTD; how++) {
        struct buf b = { 0 }, all = { 0 };

        add_text(&b, "lib/m.ko", "a file with id-1");
        pack((enum packer)how, &all, &b);
        for (size_t n = 0; n <= all.len; n++)
            look_through(all.data, n);
        for (size_t n = 0; n < all.len; n++) {
            all.data[n] ^= 0x10;
            look_through(all.data, all.len);
            all.data[n] ^= 0x10;
            all.data[n] = 'f'; /* a length of 4 GiB less something */
            look_through(all.data, all.len);
        }
        buf_free(&b);
        buf_free(&all);
    }
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

Test(kofiles, folders_are_searched_and_links_are_not_followed)
{
    char dir[] = "/tmp/ebreak-kofiles-XXXXXX", path[256], to[256];
    const char *dirs[] = { "/nowhere", dir };

    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/in", dir);
    mkdir(path, 0700);
    write_file(path, "m-n.ko", "this one has id-1" DEBUG);
    write_file(path, "other.txt", "not this: id-2" DEBUG);
    snprintf(to, sizeof to, "%s/in/other.txt", dir);
    snprintf(path, sizeof path, "%s/m_n.ko", dir);
    cr_assert_eq(symlink(to, path), 0);
    snprintf(path, sizeof path, "%s/in/fifo.ko", dir);
    cr_assert_eq(mkfifo(path, 0600), 0);
    files = kofiles_new(machine, dirs, 2);
    FINDS("m_n", "id-1", "this one has id-1");
    FINDS("m_n", "id-2", "");
    FINDS("fifo", "id-1", "");
    snprintf(path, sizeof path, "rm -r %s", dir);
    cr_assert_eq(system(path), 0);
    FINDS("m_n", "id-1", "");
}
