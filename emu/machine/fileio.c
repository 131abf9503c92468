/* SPDX-License-Identifier: MIT */
/* fileio.c - semihosting calls as requests to gdb, and its answers. */
#include "emu/machine/fileio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/hart.h"
#include "emu/hart/mmu.h"

/* gdb's numbers: E.13.8.3 and E.13.8.4. */
enum {
    FILEIO_EIO = 5,
    O_READ = 0,
    O_WRITE = 1,
    O_BOTH = 2,
    O_ADD = 8,
    O_MAKE = 0x200,
    O_CUT = 0x400,
    SEEK_START = 0,
    SEEK_HERE = 1,
    SEEK_LAST = 2,
    CONSOLE_OUT = 1,
    TEXT_MAX = 65536, /* of a WRITE0 */
};

/* What the guest will see when it executes the ebreak again. */
struct answer {
    uint64_t pc; /* of the ebreak: an answer to another call is none */
    int64_t a0;
    int32_t error;
    uint8_t there;
    uint8_t pad[3];
};

struct fileio {
    struct answer answer;
    bool (*takes)(void *opaque);
    void *opaque;
    bool console, always;
    int source;
    /* The call that waits. */
    char request[128]; /* "": none does */
    uint64_t pc, op, a[4];
    int step;    /* a length takes three requests */
    int64_t was; /* where the file was then */
};

static const struct field fields[] = {
    STATE(struct answer, pc),    STATE(struct answer, a0),
    STATE(struct answer, error), STATE(struct answer, there),
    STATE(struct answer, pad),   FIELDS_END,
};

/* A call that waits is not made after all. */
static void reset(void *opaque)
{
    struct fileio *f = opaque;

    memset(&f->answer, 0, sizeof f->answer);
    f->request[0] = '\0';
}

static void answered(void *opaque, const void *data, size_t len)
{
    struct fileio *f = opaque;

    if (len == sizeof f->answer)
        memcpy(&f->answer, data, len);
}

void fileio_init(struct machine *m, bool console, bool always)
{
    struct fileio *f = xcalloc(1, sizeof *f);
    static const struct dev_info info = { .name = "file-io",
                                          .fields = fields,
                                          .size = sizeof(struct answer),
                                          .version = 1,
                                          .reset = reset };

    f->console = console;
    f->always = always;
    f->source = tap_source(m->tap, "file-io", answered, f);
    m->fileio = f;
    dev_add(m->devs, &info, f); /* its first member */
}

void fileio_fini(struct machine *m)
{
    free(m->fileio);
    m->fileio = NULL;
}

void fileio_on_call(struct machine *m, bool (*takes)(void *opaque),
                    void *opaque)
{
    if (!m->fileio)
        return;
    m->fileio->takes = takes;
    m->fileio->opaque = opaque;
}

const char *fileio_request(const struct machine *m)
{
    return m->fileio && m->fileio->request[0] ? m->fileio->request : NULL;
}

int fileio_errno(const struct machine *m)
{
    return m->fileio ? m->fileio->answer.error : 0;
}

static void give(struct machine *m, int64_t a0, int error)
{
    struct answer a = {
        .pc = m->fileio->pc, .a0 = a0, .error = error, .there = 1
    };

    m->fileio->request[0] = '\0';
    tap_put(m->tap, m->fileio->source, &a, sizeof a);
}

/* Requests ------------------------------------------------------------------- */

typedef unsigned long long ull;

/* A call: its number of arguments, and what makes a request of them; false:
 * it is the host's after all. */
struct row {
    unsigned args;
    bool (*ask)(struct fileio *f, struct hart *h, uint64_t block);
};

static bool peek(struct hart *h, uint64_t va, void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        struct mmu_walk w = { 0 };
        size_t n = MEM_PAGE - (va + done) % MEM_PAGE;

        n = n < len - done ? n : len - done;
        if (!mmu_debug_walk(h, va + done, false, &w) ||
            mem_peek(h->mem, w.pa, (char *)data + done, n) < n)
            return false;
        done += n;
    }
    return true;
}

static bool text_length(struct hart *h, uint64_t va, uint64_t *len)
{
    char c;

    for (*len = 0; *len < TEXT_MAX && peek(h, va + *len, &c, 1); ++*len)
        if (!c)
            return true;
    return false;
}

/* False when the handle is the host's. */
static bool handle(const struct fileio *f, ull *fd)
{
    *fd = f->a[0] - FILEIO_HANDLES;
    return f->a[0] >= FILEIO_HANDLES;
}

/* The mode's number is an index of "r", "rb", "r+", "r+b", "w", ... */
static bool ask_open(struct fileio *f, struct hart *h, uint64_t block)
{
    static const unsigned flags[] = { O_READ,
                                      O_BOTH,
                                      O_WRITE | O_MAKE | O_CUT,
                                      O_BOTH | O_MAKE | O_CUT,
                                      O_WRITE | O_MAKE | O_ADD,
                                      O_BOTH | O_MAKE | O_ADD };
    char name[4] = "";

    (void)block;
    if (f->a[1] >= 12)
        return false;
    if (f->a[2] == 3 && peek(h, f->a[0], name, 3) && !strcmp(name, ":tt"))
        return false;
    snprintf(f->request, sizeof f->request, "open,%llx/%llx,%x,1b4",
             (ull)f->a[0], (ull)f->a[2] + 1, flags[f->a[1] / 2]);
    return true;
}

static bool ask_close(struct fileio *f, struct hart *h, uint64_t block)
{
    ull fd;

    (void)h, (void)block;
    if (!handle(f, &fd))
        return false;
    snprintf(f->request, sizeof f->request, "close,%llx", fd);
    return true;
}

static bool ask_text(struct fileio *f, uint64_t at, uint64_t len)
{
    snprintf(f->request, sizeof f->request, "write,%x,%llx,%llx", CONSOLE_OUT,
             (ull)at, (ull)len);
    return f->console && len > 0;
}

static bool ask_writec(struct fileio *f, struct hart *h, uint64_t block)
{
    (void)h;
    return ask_text(f, block, 1);
}

static bool ask_write0(struct fileio *f, struct hart *h, uint64_t block)
{
    uint64_t len;

    return text_length(h, block, &len) && ask_text(f, block, len);
}

static bool ask_move(struct fileio *f, const char *verb)
{
    ull fd;

    if (!handle(f, &fd))
        return false;
    snprintf(f->request, sizeof f->request, "%s,%llx,%llx,%llx", verb, fd,
             (ull)f->a[1], (ull)f->a[2]);
    return true;
}

static bool ask_write(struct fileio *f, struct hart *h, uint64_t block)
{
    (void)h, (void)block;
    return ask_move(f, "write");
}

static bool ask_read(struct fileio *f, struct hart *h, uint64_t block)
{
    (void)h, (void)block;
    return ask_move(f, "read");
}

static bool seek(struct fileio *f, int64_t to, int from)
{
    ull fd;

    if (!handle(f, &fd))
        return false;
    snprintf(f->request, sizeof f->request, "lseek,%llx,%llx,%x", fd, (ull)to,
             (unsigned)from);
    return true;
}

static bool ask_seek(struct fileio *f, struct hart *h, uint64_t block)
{
    (void)h, (void)block;
    return seek(f, (int64_t)f->a[1], SEEK_START);
}

static bool ask_length(struct fileio *f, struct hart *h, uint64_t block)
{
    (void)h, (void)block;
    return seek(f, 0, SEEK_HERE);
}

static bool ask_tty(struct fileio *f, struct hart *h, uint64_t block)
{
    ull fd;

    (void)h, (void)block;
    if (!handle(f, &fd))
        return false;
    snprintf(f->request, sizeof f->request, "isatty,%llx", fd);
    return true;
}

static const struct row rows[] = {
    [0x01] = { 3, ask_open },   [0x02] = { 1, ask_close },
    [0x03] = { 0, ask_writec }, [0x04] = { 0, ask_write0 },
    [0x05] = { 3, ask_write },  [0x06] = { 3, ask_read },
    [0x09] = { 1, ask_tty },    [0x0a] = { 2, ask_seek },
    [0x0c] = { 1, ask_length },
};

static uint64_t pc_of(const struct hart *h)
{
    return h->pc + (h->at ? h->at->off : 0);
}

static bool make_request(struct fileio *f, struct hart *h, uint64_t op,
                         uint64_t block)
{
    const struct row *row =
        op < sizeof rows / sizeof rows[0] ? &rows[op] : NULL;

    f->pc = pc_of(h);
    f->op = op;
    f->step = 0;
    memset(f->a, 0, sizeof f->a);
    return row && row->ask &&
           peek(h, block, f->a, row->args * sizeof f->a[0]) &&
           row->ask(f, h, block);
}

/* Standard input, output and error are the console of the debugger. */
static bool opens_console(struct fileio *f, struct hart *h, uint64_t op,
                          uint64_t block)
{
    char name[4] = "";

    f->pc = pc_of(h);
    return f->console && op == 0x01 && peek(h, block, f->a, 24) &&
           f->a[1] < 12 && f->a[2] == 3 && peek(h, f->a[0], name, 3) &&
           !strcmp(name, ":tt");
}

/* Live: a request is made of the call, or an answer without one. */
static bool is_asked(struct machine *m, struct hart *h, uint64_t op,
                     uint64_t block)
{
    struct fileio *f = m->fileio;
    bool takes = f->takes && f->takes(f->opaque);

    if (opens_console(f, h, op, block) && (takes || f->always)) {
        give(m, FILEIO_HANDLES + (int64_t)f->a[1] / 4, 0);
        return false;
    }
    if (!make_request(f, h, op, block))
        return false;
    if (!takes && f->always)
        give(m, -1, FILEIO_EIO);
    return takes;
}

enum fileio_result fileio_call(struct machine *m, struct hart *h, uint64_t op,
                               uint64_t block, int64_t *a0)
{
    struct fileio *f = m->fileio;

    if (!f)
        return FILEIO_NOT;
    if (f->answer.there && f->answer.pc != pc_of(h))
        f->answer.there = 0;
    if (!f->answer.there && !tap_replaying(m->tap) && is_asked(m, h, op, block))
        return FILEIO_WAIT;
    f->request[0] = '\0';
    if (!f->answer.there)
        return FILEIO_NOT;
    f->answer.there = 0;
    *a0 = op == 0x03 || op == 0x04 ? (int64_t)block : f->answer.a0;
    return FILEIO_DONE;
}

/* Answers -------------------------------------------------------------------- */

/* Where it is, where the end is, and back again. */
static bool length_step(struct fileio *f, int64_t result)
{
    int64_t end = f->was;

    switch (f->step++) {
    case 0:
        f->was = result;
        return seek(f, 0, SEEK_LAST);
    case 1:
        seek(f, f->was, SEEK_START);
        f->was = result;
        return true;
    default:
        f->was = end;
        return false;
    }
}

/* What a0 becomes: counts are of bytes that were not moved. */
static int64_t result_of(const struct fileio *f, int64_t result)
{
    switch (f->op) {
    case 0x01:
        return result < 0 ? -1 : result + FILEIO_HANDLES;
    case 0x05:
    case 0x06:
        return (int64_t)f->a[2] - (result < 0 ? 0 : result);
    case 0x0a:
        return result < 0 ? -1 : 0;
    case 0x0c:
        return result < 0 ? -1 : f->was;
    default:
        return result;
    }
}

bool fileio_answer(struct machine *m, int64_t result, int error)
{
    struct fileio *f = m->fileio;

    if (!fileio_request(m))
        return false;
    if (f->op == 0x0c && result >= 0 && length_step(f, result))
        return false;
    give(m, result_of(f, result), result < 0 ? error : 0);
    return true;
}
