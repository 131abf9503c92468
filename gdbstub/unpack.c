/* SPDX-License-Identifier: MIT */
/*
 * unpack.c - gzip, xz and zstd, as Linux's modules and initial ramdisks are
 * packed.
 *
 * What is packed may be the guest's: how much comes out has a limit, and so
 * has the memory that it takes.
 */
#define ZLIB_CONST
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "gdbstub/modules.h"

enum {
    PIECE = 64 << 10,
    XZ_MEMORY = 128 << 20,
    ZSTD_WINDOW = 27, /* 128 MiB: what a decoder has to be able to */
    GZIP_HEADER = 16, /* for inflateInit2: and no other */
};

/* What is left to take in, and room to put out. */
struct piece {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
};

enum step { STEP_MORE, STEP_END, STEP_BAD };

union state {
    z_stream gzip;
    lzma_stream xz;
    ZSTD_DStream *zstd;
};

static uInt at_most(size_t n) { return n < UINT32_MAX ? (uInt)n : UINT32_MAX; }

static bool gzip_open(union state *s)
{
    return inflateInit2(&s->gzip, GZIP_HEADER + MAX_WBITS) == Z_OK;
}

static enum step gzip_step(union state *s, struct piece *p)
{
    z_stream *z = &s->gzip;
    uInt in = at_most(p->in_left), out = at_most(p->out_left);
    int rc;

    z->next_in = p->in;
    z->avail_in = in;
    z->next_out = p->out;
    z->avail_out = out;
    rc = inflate(z, Z_NO_FLUSH);
    p->in += in - z->avail_in;
    p->in_left -= in - z->avail_in;
    p->out_left -= out - z->avail_out;
    if (rc == Z_STREAM_END)
        return STEP_END;
    return rc == Z_OK ? STEP_MORE : STEP_BAD;
}

static void gzip_close(union state *s) { inflateEnd(&s->gzip); }

static bool xz_open(union state *s)
{
    s->xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&s->xz, XZ_MEMORY, 0) == LZMA_OK;
}

static enum step xz_step(union state *s, struct piece *p)
{
    lzma_stream *z = &s->xz;
    lzma_ret rc;

    z->next_in = p->in;
    z->avail_in = p->in_left;
    z->next_out = p->out;
    z->avail_out = p->out_left;
    rc = lzma_code(z, LZMA_RUN);
    p->in = z->next_in;
    p->in_left = z->avail_in;
    p->out_left = z->avail_out;
    if (rc == LZMA_STREAM_END)
        return STEP_END;
    return rc == LZMA_OK ? STEP_MORE : STEP_BAD;
}

static void xz_close(union state *s) { lzma_end(&s->xz); }

static bool zstd_open(union state *s)
{
    s->zstd = ZSTD_createDStream();
    return s->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
                          s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW));
}

static enum step zstd_step(union state *s, struct piece *p)
{
    ZSTD_inBuffer in = { p->in, p->in_left, 0 };
    ZSTD_outBuffer out = { p->out, p->out_left, 0 };
    size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);

    p->in += in.pos;
    p->in_left -= in.pos;
    p->out_left -= out.pos;
    if (ZSTD_isError(rc))
        return STEP_BAD;
    return rc ? STEP_MORE : STEP_END;
}

static void zstd_close(union state *s) { ZSTD_freeDStream(s->zstd); }

static const struct codec {
    const char *magic;
    size_t len;
    bool (*open)(union state *s);
    enum step (*step)(union state *s, struct piece *p);
    void (*close)(union state *s);
} codecs[] = {
    { "\x1f\x8b", 2, gzip_open, gzip_step, gzip_close },
    { "\xfd"
      "7zXZ\0",
      6, xz_open, xz_step, xz_close },
    { "\x28\xb5\x2f\xfd", 4, zstd_open, zstd_step, zstd_close },
};

static const struct codec *codec_of(const void *data, size_t len)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
        if (len >= codecs[i].len &&
            memcmp(data, codecs[i].magic, codecs[i].len) == 0)
            return &codecs[i];
    return NULL;
}

bool unpack_is_packed(const void *data, size_t len)
{
    return codec_of(data, len) != NULL;
}

/* It ends where it says so: with neither input nor output it is cut short. */
static enum step unpack_piece(const struct codec *c, union state *s,
                              struct piece *p, struct buf *out)
{
    uint8_t data[PIECE];
    size_t before = p->in_left;
    enum step step;

    p->out = data;
    p->out_left = sizeof data;
    step = c->step(s, p);
    if (step == STEP_MORE && p->in_left == before && p->out_left == sizeof data)
        return STEP_BAD;
    buf_add(out, data, sizeof data - p->out_left);
    return step;
}

size_t unpack(const void *data, size_t len, struct buf *out, size_t max)
{
    const struct codec *c = codec_of(data, len);
    struct piece p = { .in = data, .in_left = len };
    union state s;
    enum step step = STEP_BAD;

    memset(&s, 0, sizeof s);
    if (c && c->open(&s)) {
        do
            step = unpack_piece(c, &s, &p, out);
        while (step == STEP_MORE && out->len <= max);
        c->close(&s);
    }
    return step == STEP_END && out->len <= max ? len - p.in_left : 0;
}
