/* SPDX-License-Identifier: MIT */
/* image.c - reading, recognising and unpacking kernels. */
#define ZLIB_CONST
#include "board/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

static uint32_t le32(const struct buf *b, size_t at)
{
    const uint8_t *p = (const uint8_t *)b->data + at;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static uint32_t be32(const struct buf *b, size_t at)
{
    return __builtin_bswap32(le32(b, at));
}

static bool has(const struct buf *b, size_t at, const char *magic, size_t len)
{
    return b->len >= at + len && !memcmp(b->data + at, magic, len);
}

/* Unpacking */

static bool inflate_rest(z_stream *z, struct buf *out, struct err *err)
{
    unsigned char chunk[65536];
    int rc;
    do {
        z->next_out = chunk;
        z->avail_out = sizeof chunk;
        rc = inflate(z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return err_set(err, "its gzip data is damaged or cut short");
        if (out->len + sizeof chunk > UNPACK_MAX)
            return err_set(err, "its gzip data unpacks to too much");
        buf_add(out, chunk, sizeof chunk - z->avail_out);
    } while (rc != Z_STREAM_END);
    return true;
}

static bool unpack_gzip(const void *data, size_t len, struct buf *out,
                        struct err *err)
{
    enum { GZIP_ONLY = 16 };
    z_stream z = { .next_in = data, .avail_in = (uInt)len };
    if (len > UINT32_MAX || inflateInit2(&z, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return err_set(err, "cannot unpack its gzip data");
    bool ok = inflate_rest(&z, out, err);
    inflateEnd(&z);
    return ok;
}

static bool zstd_rest(ZSTD_DStream *z, ZSTD_inBuffer *in, struct buf *out,
                      struct err *err)
{
    char chunk[65536];
    size_t rc;
    do {
        ZSTD_outBuffer o = { chunk, sizeof chunk, 0 };
        size_t before = in->pos;
        rc = ZSTD_decompressStream(z, &o, in);
        if (ZSTD_isError(rc) || (rc && !o.pos && in->pos == before))
            return err_set(err, "its zstd data is damaged or cut short");
        if (out->len + o.pos > UNPACK_MAX)
            return err_set(err, "its zstd data unpacks to too much");
        buf_add(out, chunk, o.pos);
    } while (rc);
    return true;
}

static bool unpack_zstd(const void *data, size_t len, struct buf *out,
                        struct err *err)
{
    ZSTD_inBuffer in = { data, len, 0 };
    ZSTD_DStream *z = ZSTD_createDStream();
    bool ok = z ? zstd_rest(z, &in, out, err)
                : err_set(err, "no memory to unpack its zstd data");
    ZSTD_freeDStream(z);
    return ok;
}

typedef bool unpack_fn(const void *data, size_t len, struct buf *out,
                       struct err *err);

static const struct {
    const char *name; /* in a zboot header */
    unpack_fn *unpack;
} compressions[] = {
    { "gzip", unpack_gzip },
    { "zstd", unpack_zstd },
};

static bool is_gzip(const struct buf *b)
{
    return has(b, 0, "\x1f\x8b\x08", 3);
}

static bool replace(struct buf *b, unpack_fn *unpack, size_t at, size_t len,
                    struct err *err)
{
    struct buf out = { 0 };
    if (!unpack(b->data + at, len, &out, err)) {
        buf_free(&out);
        return false;
    }
    buf_free(b);
    *b = out;
    return true;
}

/*
 * An EFI zboot image (Linux, drivers/firmware/efi/libstub/zboot-header.S) is
 * a PE program that carries the compressed kernel; its header says where.
 */
enum {
    ZBOOT_MAGIC = 4,
    ZBOOT_OFFSET = 8,
    ZBOOT_SIZE = 12,
    ZBOOT_COMPRESSION = 24,
    ZBOOT_HEADER = 56,
};

static bool is_zboot(const struct buf *b)
{
    return b->len >= ZBOOT_HEADER && has(b, 0, "MZ", 2) &&
           has(b, ZBOOT_MAGIC, "zimg", 4);
}

static bool unpack_zboot(struct buf *b, struct err *err)
{
    char kind[32];
    uint64_t at = le32(b, ZBOOT_OFFSET), len = le32(b, ZBOOT_SIZE);
    memcpy(kind, b->data + ZBOOT_COMPRESSION, sizeof kind);
    kind[sizeof kind - 1] = 0;
    if (at + len > b->len)
        return err_set(err, "this EFI zboot image is cut short");
    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
        if (!strcmp(kind, compressions[i].name))
            return replace(b, compressions[i].unpack, at, len, err);
    return err_set(err,
                   "this EFI zboot image is packed with '%.31s'; "
                   "gzip and zstd can be unpacked",
                   kind);
}

bool image_unpack(struct buf *b, struct err *err)
{
    for (int layers = 0; layers < 4; layers++) {
        if (is_gzip(b)) {
            if (!replace(b, unpack_gzip, 0, b->len, err))
                return false;
        } else if (is_zboot(b)) {
            if (!unpack_zboot(b, err))
                return false;
        } else {
            return true;
        }
    }
    return err_set(err, "it is packed more than four times over");
}

/* Other architectures */

/* PE's machine field, for kernels that are EFI programs. */
static const struct {
    uint16_t machine;
    const char *name;
} pe_machines[] = {
    { 0x8664, "x86-64" },    { 0x014c, "32-bit x86" },
    { 0xaa64, "AArch64" },   { 0x01c2, "32-bit Arm" },
    { 0x6264, "LoongArch" }, { 0x5032, "32-bit RISC-V" },
};

static const char *pe_foreign(const struct buf *b)
{
    enum { PE_POINTER = 0x3c };
    if (!has(b, 0, "MZ", 2) || b->len < PE_POINTER + 4)
        return NULL;
    uint64_t pe = le32(b, PE_POINTER);
    if (pe + 8 > b->len || !has(b, pe, "PE\0\0", 4))
        return NULL;
    uint16_t machine = (uint16_t)le32(b, pe + 4);
    for (size_t i = 0; i < sizeof pe_machines / sizeof *pe_machines; i++)
        if (machine == pe_machines[i].machine)
            return pe_machines[i].name;
    return NULL;
}

/* Magic numbers of kernels without an EFI header. */
static const struct {
    size_t at;
    char magic[5];
    const char *name;
} kernel_magics[] = {
    { 0x38, "ARM\x64", "AArch64" },
    { 0x202, "HdrS", "x86" },
    { 0x24, "\x18\x28\x6f\x01", "32-bit Arm" },
};

bool image_is_riscv(const struct buf *b, struct err *err)
{
    const char *name = pe_foreign(b);
    for (size_t i = 0; i < sizeof kernel_magics / sizeof *kernel_magics; i++)
        if (!name && has(b, kernel_magics[i].at, kernel_magics[i].magic, 4))
            name = kernel_magics[i].name;
    if (name)
        return err_set(err,
                       "it is for %s; this machine needs one for "
                       "64-bit RISC-V",
                       name);
    return true;
}

/* uImage (U-Boot, include/image.h): a header of 64 bytes, big-endian. */

enum { UIMAGE_HEADER = 64, UIMAGE_GZIP = 1, UIMAGE_ZSTD = 6 };

bool uimage_parse(const struct buf *b, struct uimage *u)
{
    if (b->len < UIMAGE_HEADER || be32(b, 0) != 0x27051956)
        return false;
    *u = (struct uimage){ .load = be32(b, 16),
                          .entry = be32(b, 20),
                          .type = (uint8_t)b->data[30],
                          .compression = (uint8_t)b->data[31] };
    return true;
}

bool uimage_strip(struct buf *b, struct err *err)
{
    uint64_t len = be32(b, 12);
    uint8_t compression = (uint8_t)b->data[31];
    if (len > b->len - UIMAGE_HEADER)
        return err_set(err, "this U-Boot image is cut short");
    if (compression == UIMAGE_GZIP)
        return replace(b, unpack_gzip, UIMAGE_HEADER, len, err);
    if (compression == UIMAGE_ZSTD)
        return replace(b, unpack_zstd, UIMAGE_HEADER, len, err);
    if (compression)
        return err_set(err,
                       "this U-Boot image is packed in a way (%d) that "
                       "is not supported",
                       compression);
    buf_drop(b, UIMAGE_HEADER);
    b->len = len;
    b->data[len] = 0;
    return true;
}
