/* SPDX-License-Identifier: MIT */
/* frames.c - the one file format of snapshots and recordings. */
#include "emu/machine/frames.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "frames.c needs a little-endian host"
#endif

/* Level 1 keeps up with the disk; more wins little on memory and images. */
enum { VERSION = 1, LEVEL = 1 };

static const char magic[8] = "EBREAK\r\n";

struct head {
    char magic[8];
    uint32_t version, kind;
};

struct frame_head {
    uint32_t kind, stored, raw, crc, head_crc;
};

_Static_assert(sizeof(struct head) == FRAMES_HEAD, "no padding");
_Static_assert(sizeof(struct frame_head) == FRAME_HEAD, "no padding");

static uint32_t crc_of(const void *data, size_t len)
{
    return (uint32_t)crc32(0, data, (uInt)len);
}

static uint32_t head_crc(const struct frame_head *h)
{
    return crc_of(h, offsetof(struct frame_head, head_crc));
}

/* Writing ------------------------------------------------------------------ */

static bool write_all(int fd, const void *data, size_t len, struct err *err)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, "%s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool frames_begin(int fd, enum frames_file kind, struct err *err)
{
    struct head h = { .version = VERSION, .kind = kind };

    memcpy(h.magic, magic, sizeof magic);
    return write_all(fd, &h, sizeof h, err);
}

bool frame_write(int fd, enum frame_kind kind, const void *data, size_t len,
                 struct err *err)
{
    size_t room = ZSTD_compressBound(len);
    char *frame = xmalloc(FRAME_HEAD + room);
    struct frame_head h = { .kind = kind, .raw = (uint32_t)len };
    size_t n = ZSTD_compress(frame + FRAME_HEAD, room, data, len, LEVEL);
    bool ok;

    assert(len <= FRAME_MAX && !ZSTD_isError(n));
    h.stored = (uint32_t)n;
    h.crc = crc_of(frame + FRAME_HEAD, n);
    h.head_crc = head_crc(&h);
    memcpy(frame, &h, sizeof h);
    ok = write_all(fd, frame, FRAME_HEAD + n, err);
    free(frame);
    return ok;
}

/* Reading ------------------------------------------------------------------ */

/* How many bytes there are, up to len; -1: the host cannot read them. */
static ssize_t read_at(int fd, uint64_t at, void *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n =
            pread(fd, (char *)data + done, len - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

bool frames_open(struct frames *f, int fd, enum frames_file kind,
                 struct err *err)
{
    const char *what = kind == FRAMES_SNAPSHOT ? "a snapshot" : "a recording";
    struct head h;
    ssize_t n = read_at(fd, 0, &h, sizeof h);

    *f = (struct frames){ fd, FRAMES_HEAD, false };
    if (n < 0)
        return err_set(err, "%s", strerror(errno));
    if (n < (ssize_t)sizeof h || memcmp(h.magic, magic, sizeof magic) != 0 ||
        h.kind != kind)
        return err_set(err, "it is not %s of ebreak's", what);
    if (h.version != VERSION)
        return err_set(err,
                       "it is %s of version %" PRIu32
                       ", this program reads version %d",
                       what, h.version, VERSION);
    return true;
}

static enum frame_result damaged(const struct frames *f, struct err *err)
{
    err_set(err, "it is damaged at byte %" PRIu64, f->at);
    return FRAME_BAD;
}

static enum frame_result cut(struct frames *f, struct err *err)
{
    f->cut = true;
    err_set(err, "it is cut short at byte %" PRIu64, f->at);
    return FRAME_CUT;
}

static bool unpack(const struct frame_head *h, const char *stored,
                   struct buf *out)
{
    char *raw = xmalloc(h->raw + 1u);
    size_t n = ZSTD_decompress(raw, h->raw, stored, h->stored);
    bool ok = !ZSTD_isError(n) && n == h->raw;

    buf_clear(out);
    if (ok)
        buf_add(out, raw, n);
    free(raw);
    return ok;
}

static enum frame_result read_body(struct frames *f, const struct frame_head *h,
                                   struct buf *out, struct err *err)
{
    char *stored = xmalloc(h->stored + 1u);
    ssize_t n = read_at(f->fd, f->at + FRAME_HEAD, stored, h->stored);
    enum frame_result result = FRAME_IS;

    if (n < (ssize_t)h->stored)
        result = n < 0 ? damaged(f, err) : cut(f, err);
    else if (crc_of(stored, h->stored) != h->crc || !unpack(h, stored, out))
        result = damaged(f, err);
    free(stored);
    return result;
}

enum frame_result frame_next(struct frames *f, enum frame_kind *kind,
                             struct buf *out, struct err *err)
{
    enum frame_result result = FRAME_IS;
    struct frame_head h;
    ssize_t n = read_at(f->fd, f->at, &h, sizeof h);

    if (n == 0)
        return FRAME_NONE;
    if (n < 0)
        return damaged(f, err);
    if (n < (ssize_t)sizeof h)
        return cut(f, err);
    if (head_crc(&h) != h.head_crc || h.raw > FRAME_MAX ||
        h.stored > ZSTD_compressBound(FRAME_MAX))
        return damaged(f, err);
    if (out)
        result = read_body(f, &h, out, err);
    if (result == FRAME_IS) {
        *kind = (enum frame_kind)h.kind;
        f->at += FRAME_HEAD + h.stored;
    }
    return result;
}
