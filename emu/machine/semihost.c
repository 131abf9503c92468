/* SPDX-License-Identifier: MIT */
/*
 * semihost.c - the calls of native semihosting.
 *
 * Everything a call brings in from the host (a file's bytes, a length, the
 * time) goes through the tap: the host is asked only while live, the answer
 * is an input, and the guest sees what the tap delivered. So a recording
 * replays without the files.
 *
 * The console is a chardev or stderr. Clocks are virtual time. Guest names,
 * lengths and handles are hostile: bounded, checked, never trusted.
 */
#include "emu/machine/semihost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/mem.h"
#include "emu/hart/hart.h"
#include "emu/hart/mmu.h"
#include "emu/machine/fileio.h"
#include "emu/machine/run.h"

enum {
    FILES = 64,
    NAME_MAX_BYTES = 4096,
    CHUNK = 65536, /* bytes moved at once */
};

enum handle_kind { HANDLE_FREE, HANDLE_CONSOLE, HANDLE_FILE };

struct semihost {
    struct semihost_config config;
    char *cmdline;
    FILE *file[FILES];     /* live only: the past leaves them alone */
    uint8_t handle[FILES]; /* enum handle_kind */
    int64_t last_errno;
    int source;
    struct buf answer; /* what the tap delivered last */
    struct machine *m;
};

/* A call: its hart, and its parameter block. */
struct call {
    struct semihost *s;
    struct hart *h;
    uint64_t block;
};

/* Guest memory, by the hart's own translation, no faults ---------------------- */

static bool copy_bytes(struct hart *h, uint64_t va, void *get, const void *put,
                       size_t len)
{
    for (size_t done = 0; done < len;) {
        struct mmu_walk w = { 0 };
        size_t n = MEM_PAGE - (va + done) % MEM_PAGE;

        n = n < len - done ? n : len - done;
        if (!mmu_debug_walk(h, va + done, false, &w))
            return false;
        if (get && mem_dma_read(h->mem, w.pa, (char *)get + done, n) < n)
            return false;
        if (put && mem_dma_write(h->mem, w.pa, (const char *)put + done, n) < n)
            return false;
        done += n;
    }
    return true;
}

static bool guest_bytes(struct hart *h, uint64_t va, void *get, const void *put,
                        size_t len)
{
    const char *was = mem_master(h->mem, "semihosting");
    bool ok = copy_bytes(h, va, get, put, len);

    mem_master(h->mem, was);
    return ok;
}

static bool argument(const struct call *c, unsigned n, uint64_t *v)
{
    return guest_bytes(c->h, c->block + UINT64_C(8) * n, v, NULL, 8);
}

static bool arguments(const struct call *c, unsigned n, uint64_t *v)
{
    for (unsigned k = 0; k < n; k++)
        if (!argument(c, k, &v[k]))
            return false;
    return true;
}

static bool guest_name(struct hart *h, uint64_t va, uint64_t len, char *name)
{
    if (len >= NAME_MAX_BYTES || !guest_bytes(h, va, name, NULL, len))
        return false;
    name[len] = 0;
    return strlen(name) == len;
}

/* The answer from outside ----------------------------------------------------- */

static void answered(void *opaque, const void *data, size_t len)
{
    struct semihost *s = opaque;

    buf_clear(&s->answer);
    buf_add(&s->answer, data, len);
}

/* A number, and bytes if there are any: logged, then seen. */
static int64_t from_host(struct semihost *s, int64_t result, const void *data,
                         size_t len)
{
    struct buf b = { 0 };

    if (tap_replaying(s->m->tap)) {
        tap_deliver(s->m->tap);
    } else {
        buf_add(&b, &result, sizeof result);
        buf_add(&b, data, len);
        tap_put(s->m->tap, s->source, b.data, b.len);
        buf_free(&b);
    }
    if (s->answer.len >= sizeof result)
        memcpy(&result, s->answer.data, sizeof result);
    return result;
}

/* Calls ------------------------------------------------------------------------ */

static void console_write(struct semihost *s, const char *data, size_t len)
{
    if (tap_past(s->m->tap))
        return;
    if (s->config.console)
        chardev_write(s->config.console, data, len);
    else if (write(STDERR_FILENO, data, len) < 0)
        log_guest("semihosting: stderr: %s", strerror(errno));
}

static int64_t sys_open(struct call *c)
{
    static const char *const modes[12] = {
        "r", "rb", "r+", "r+b", "w", "wb", "w+", "w+b", "a", "ab", "a+", "a+b"
    };
    struct semihost *s = c->s;
    char name[NAME_MAX_BYTES];
    uint64_t a[3];
    int64_t error = 0;
    int n = 1;

    if (!arguments(c, 3, a) || a[1] >= 12 ||
        !guest_name(c->h, a[0], a[2], name))
        return -1;
    while (n < FILES && s->handle[n] != HANDLE_FREE)
        n++;
    if (n == FILES)
        return -1;
    if (!strcmp(name, ":tt")) {
        s->handle[n] = HANDLE_CONSOLE;
        return n;
    }
    if (!tap_replaying(s->m->tap)) {
        s->file[n] = fopen(name, modes[a[1]]);
        error = s->file[n] ? 0 : errno;
    }
    error = from_host(s, error, NULL, 0);
    s->last_errno = error;
    if (error)
        return -1;
    s->handle[n] = HANDLE_FILE;
    return n;
}

static FILE *file_of(const struct semihost *s, uint64_t handle)
{
    if (handle >= FILES || tap_replaying(s->m->tap))
        return NULL;
    return s->file[handle];
}

static bool is_console(const struct semihost *s, uint64_t handle)
{
    return handle < FILES && s->handle[handle] == HANDLE_CONSOLE;
}

static int64_t sys_close(struct call *c)
{
    struct semihost *s = c->s;
    uint64_t handle;
    FILE *f;

    if (!argument(c, 0, &handle))
        return -1;
    if (is_console(s, handle)) {
        s->handle[handle] = HANDLE_FREE;
        return 0;
    }
    f = file_of(s, handle);
    if (f) {
        fclose(f);
        s->file[handle] = NULL;
    }
    if (from_host(s, f ? 0 : -1, NULL, 0) < 0)
        return -1;
    if (handle < FILES)
        s->handle[handle] = HANDLE_FREE;
    return 0;
}

static int64_t sys_writec(struct call *c)
{
    char ch;

    if (guest_bytes(c->h, c->block, &ch, NULL, 1))
        console_write(c->s, &ch, 1);
    return (int64_t)c->block;
}

static int64_t sys_write0(struct call *c)
{
    struct buf text = { 0 };
    char ch;

    for (uint64_t at = c->block; text.len < CHUNK; at++) {
        if (!guest_bytes(c->h, at, &ch, NULL, 1) || !ch)
            break;
        buf_chr(&text, ch);
    }
    if (text.len)
        console_write(c->s, text.data, text.len);
    buf_free(&text);
    return (int64_t)c->block;
}

/* The result of READ and WRITE is how many bytes were not moved. */
static int64_t sys_write(struct call *c)
{
    struct semihost *s = c->s;
    uint64_t a[3], done = 0;
    char chunk[4096];

    if (!arguments(c, 3, a))
        return -1;
    while (done < a[2]) {
        size_t n = a[2] - done < sizeof chunk ? a[2] - done : sizeof chunk;

        if (!guest_bytes(c->h, a[1] + done, chunk, NULL, n))
            break;
        if (is_console(s, a[0]))
            console_write(s, chunk, n);
        else if (!file_of(s, a[0]) || fwrite(chunk, 1, n, file_of(s, a[0])) < n)
            break;
        done += n;
    }
    if (is_console(s, a[0]))
        return (int64_t)(a[2] - done);
    return from_host(s, (int64_t)(a[2] - done), NULL, 0);
}

static int64_t sys_read(struct call *c)
{
    struct semihost *s = c->s;
    uint64_t a[3], want;
    char *chunk;
    size_t got = 0;
    int64_t left;

    if (!arguments(c, 3, a))
        return -1;
    want = a[2] < CHUNK ? a[2] : CHUNK;
    chunk = xmalloc(CHUNK);
    if (file_of(s, a[0]))
        got = fread(chunk, 1, want, file_of(s, a[0]));
    left = from_host(s, (int64_t)(a[2] - got), chunk, got);
    free(chunk);
    if (s->answer.len > 8 &&
        !guest_bytes(c->h, a[1], NULL, s->answer.data + 8, s->answer.len - 8))
        return (int64_t)a[2];
    return left;
}

/* There is no keyboard for READC: the serial line has it. */
static int64_t sys_readc(struct call *c)
{
    (void)c;
    return -1;
}

static int64_t sys_iserror(struct call *c)
{
    uint64_t v;

    return argument(c, 0, &v) && (int64_t)v >= 0 ? 0 : 1;
}

static int64_t sys_istty(struct call *c)
{
    uint64_t handle;

    return argument(c, 0, &handle) && is_console(c->s, handle);
}

static int64_t sys_seek(struct call *c)
{
    uint64_t a[2];
    FILE *f;

    if (!arguments(c, 2, a))
        return -1;
    f = file_of(c->s, a[0]);
    return from_host(c->s, f && !fseek(f, (long)a[1], SEEK_SET) ? 0 : -1, NULL,
                     0);
}

static int64_t sys_flen(struct call *c)
{
    uint64_t handle;
    int64_t len = -1;
    FILE *f;
    long at;

    if (!argument(c, 0, &handle))
        return -1;
    f = file_of(c->s, handle);
    if (f && (at = ftell(f)) >= 0 && !fseek(f, 0, SEEK_END)) {
        len = ftell(f);
        if (fseek(f, at, SEEK_SET))
            len = -1;
    }
    return from_host(c->s, len, NULL, 0);
}

/* Names of files are the host's business: a guest may not make, remove or
 * rename any, nor start programs. */
static int64_t sys_refused(struct call *c)
{
    c->s->last_errno = EPERM;
    return -1;
}

static int64_t sys_clock(struct call *c) /* centiseconds */
{
    return run_virtual_ns(c->s->m) / 10000000;
}

static int64_t sys_time(struct call *c) /* seconds since the epoch */
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return from_host(c->s, now.tv_sec, NULL, 0);
}

static int64_t sys_errno(struct call *c)
{
    int error = fileio_errno(c->s->m);

    return from_host(c->s, error ? error : c->s->last_errno, NULL, 0);
}

static int64_t sys_get_cmdline(struct call *c)
{
    size_t len = strlen(c->s->cmdline);
    uint64_t a[2], n = len;

    if (!arguments(c, 2, a) || a[1] <= len ||
        !guest_bytes(c->h, a[0], NULL, c->s->cmdline, len + 1) ||
        !guest_bytes(c->h, c->block + 8, NULL, &n, 8))
        return -1;
    return 0;
}

static int64_t sys_heapinfo(struct call *c)
{
    uint64_t zero[4] = { 0 }, at;

    if (!argument(c, 0, &at) || !guest_bytes(c->h, at, NULL, zero, sizeof zero))
        return -1;
    return 0;
}

/* ADP_Stopped_ApplicationExit carries a status; any other reason is 1. */
static int64_t sys_exit(struct call *c)
{
    uint64_t a[2];
    int status = 1;

    if (arguments(c, 2, a) && a[0] == 0x20026)
        status = (int)(a[1] & 0xff);
    run_request_shutdown(c->s->m, SHUTDOWN_GUEST_SHUTDOWN, status);
    return 0;
}

static int64_t sys_elapsed(struct call *c)
{
    uint64_t ns = (uint64_t)run_virtual_ns(c->s->m);

    return guest_bytes(c->h, c->block, NULL, &ns, 8) ? 0 : -1;
}

static int64_t sys_tickfreq(struct call *c)
{
    (void)c;
    return 1000000000;
}

static int64_t sys_synccache(struct call *c)
{
    (void)c;
    return 0;
}

static int64_t (*const calls[])(struct call *c) = {
    [0x01] = sys_open,        [0x02] = sys_close,    [0x03] = sys_writec,
    [0x04] = sys_write0,      [0x05] = sys_write,    [0x06] = sys_read,
    [0x07] = sys_readc,       [0x08] = sys_iserror,  [0x09] = sys_istty,
    [0x0a] = sys_seek,        [0x0c] = sys_flen,     [0x0d] = sys_refused,
    [0x0e] = sys_refused,     [0x0f] = sys_refused,  [0x10] = sys_clock,
    [0x11] = sys_time,        [0x12] = sys_refused,  [0x13] = sys_errno,
    [0x15] = sys_get_cmdline, [0x16] = sys_heapinfo, [0x18] = sys_exit,
    [0x19] = sys_synccache,   [0x20] = sys_exit,     [0x30] = sys_elapsed,
    [0x31] = sys_tickfreq,
};

/* An ebreak: is it a call? Its neighbours say so, on the same page. */
static bool semihost_call(void *opaque, struct hart *h)
{
    struct call c = { opaque, h, h->x[11] };
    uint64_t op = h->x[10], pc = h->pc + (h->at ? h->at->off : 0);
    uint32_t around[3];
    int64_t result = -1;
    bool known;

    if (h->priv == PRIV_U && !c.s->config.user)
        return false;
    if ((pc - 4) / MEM_PAGE != (pc + 7) / MEM_PAGE ||
        !guest_bytes(h, pc - 4, around, NULL, sizeof around))
        return false;
    if (around[0] != 0x01f01013 || around[2] != 0x40705013)
        return false;
    switch (fileio_call(c.s->m, h, op, c.block, &result)) {
    case FILEIO_WAIT:
        h->stop = (struct hart_stop){ .kind = HART_STOP_SEMIHOST };
        h->attention |= ATTN_STOP;
        return true;
    case FILEIO_DONE:
        break;
    case FILEIO_NOT:
        known = op < sizeof calls / sizeof calls[0] && calls[op];
        result = known ? calls[op](&c) : -1;
        break;
    }
    h->x[10] = (uint64_t)result;
    return true;
}

void semihost_join(struct machine *m, struct hart *h,
                   const struct semihost_config *config)
{
    struct semihost *s = m->semihost;

    if (!s) {
        s = m->semihost = xcalloc(1, sizeof *s);
        s->config = *config;
        s->cmdline = xstrdup(config->cmdline);
        s->m = m;
        s->source = tap_source(m->tap, "semihosting", answered, s);
        if (config->target != SEMIHOST_NATIVE)
            fileio_init(m, !config->console, config->target == SEMIHOST_GDB);
    }
    h->semihost = semihost_call;
    h->semihost_opaque = s;
}

void semihost_save(const struct machine *m, struct buf *out)
{
    const struct semihost *s = m->semihost;

    if (!s)
        return;
    buf_add(out, s->handle, sizeof s->handle);
    buf_add(out, &s->last_errno, sizeof s->last_errno);
    buf_add(out, s->answer.data, s->answer.len);
}

void semihost_load(struct machine *m, const void *data, size_t len)
{
    struct semihost *s = m->semihost;
    size_t head = sizeof s->handle + sizeof s->last_errno;

    if (!s || len < head)
        return;
    memcpy(s->handle, data, sizeof s->handle);
    memcpy(&s->last_errno, (const char *)data + sizeof s->handle,
           sizeof s->last_errno);
    buf_clear(&s->answer);
    buf_add(&s->answer, (const char *)data + head, len - head);
}

void semihost_fini(struct machine *m)
{
    struct semihost *s = m->semihost;

    if (!s)
        return;
    for (int n = 0; n < FILES; n++)
        if (s->file[n])
            fclose(s->file[n]);
    buf_free(&s->answer);
    fileio_fini(m);
    free(s->cmdline);
    free(s);
    m->semihost = NULL;
}
