/* SPDX-License-Identifier: MIT */
/*
 * packets.c - finding a packet's row, and the packets about registers,
 * memory and threads.
 *
 * "Debugging with GDB", E.2 Packets. A packet without a row gets the empty
 * reply, which means "not supported".
 */
#include <stdio.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/stub.h"

/* Registers ---------------------------------------------------------------- */

enum { PC = 32 };

/*
 * Target byte order; all x for one that cannot be read: <unavailable>. Before
 * there are harts pc is 0 all the same: gdb does not connect without one.
 */
void registers_add(struct session *s, struct buf *out, unsigned number)
{
    const struct debug_reg *r = debug_reg_numbered(s->m, number);
    bool exists = s->hart < debug_harts(s->m);
    unsigned bytes = r && r->bits == 32 ? 4 : 8;
    uint64_t v = 0;

    if ((exists && r && debug_reg_get(s->m, s->hart, r, &v)) ||
        (!exists && number == PC))
        buf_hex(out, &v, bytes);
    else
        buf_printf(out, "%.*s", (int)(2 * bytes), "xxxxxxxxxxxxxxxx");
}

static bool read_registers(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    for (unsigned i = 0; i < STUB_CORE_REGS; i++)
        registers_add(s, out, i);
    return true;
}

static bool set_register(struct session *s, unsigned number, uint64_t v)
{
    const struct debug_reg *r = debug_reg_numbered(s->m, number);
    uint64_t old;

    if (!r || s->hart >= debug_harts(s->m))
        return false;
    if (number == 0 || (debug_reg_get(s->m, s->hart, r, &old) && old == v))
        return true; /* x0; or not a poke, so not an input either */
    return debug_reg_set(s->m, s->hart, r, v);
}

static bool write_registers(struct session *s, struct args *a, struct buf *out)
{
    uint64_t v;
    size_t n = a->rest_len / sizeof v;

    if (a->rest_len % sizeof v != 0 || n > STUB_CORE_REGS)
        return session_error(s, out, STUB_EINVAL, "malformed G packet");
    for (size_t i = 0; i < n; i++) {
        memcpy(&v, a->rest + i * sizeof v, sizeof v);
        if (!set_register(s, (unsigned)i, v))
            return session_error(s, out, STUB_EFAULT,
                                 "register %zu cannot be written", i);
    }
    buf_str(out, "OK");
    return true;
}

static bool read_register(struct session *s, struct args *a, struct buf *out)
{
    if (a->n[0] > UINT32_MAX || !debug_reg_numbered(s->m, (unsigned)a->n[0]))
        return session_error(s, out, STUB_EFAULT,
                             "there is no register %llu here",
                             (unsigned long long)a->n[0]);
    registers_add(s, out, (unsigned)a->n[0]);
    return true;
}

static bool write_register(struct session *s, struct args *a, struct buf *out)
{
    uint64_t v = 0;

    if (a->rest_len == 0 || a->rest_len > sizeof v || a->n[0] > UINT32_MAX)
        return session_error(s, out, STUB_EINVAL, "malformed P packet");
    memcpy(&v, a->rest, a->rest_len);
    if (!set_register(s, (unsigned)a->n[0], v))
        return session_error(s, out, STUB_EFAULT,
                             "register %llu cannot be written",
                             (unsigned long long)a->n[0]);
    buf_str(out, "OK");
    return true;
}

/* Memory ------------------------------------------------------------------- */

/* Up to max bytes into a buffer of the caller's; 0 after an error reply. */
static size_t read_some(struct session *s, const struct args *a, char *data,
                        size_t max, struct buf *out)
{
    struct err err = { "" };
    size_t len = a->n[1] < max ? (size_t)a->n[1] : max;
    size_t n =
        debug_read(s->m, s->hart, session_space(s), a->n[0], data, len, &err);

    if (n == 0)
        session_error(s, out, STUB_EFAULT, "%s", err.text);
    return n;
}

static bool read_memory(struct session *s, struct args *a, struct buf *out)
{
    char data[STUB_PACKET / 2];
    size_t n = read_some(s, a, data, sizeof data, out);

    buf_hex(out, data, n);
    return true;
}

/* b and the bytes: half of m's size, or less. */
static bool read_binary(struct session *s, struct args *a, struct buf *out)
{
    char data[STUB_PACKET / 2 - 1];
    size_t n = a->n[1] == 0 ? 0 : read_some(s, a, data, sizeof data, out);

    if (n > 0 || a->n[1] == 0)
        buf_chr(out, 'b');
    link_escape(out, data, n);
    return true;
}

/* All or nothing: what cannot be read cannot be written. With device accesses
 * on, a read could have effects of its own, and is not tried. */
static bool can_write(struct session *s, uint64_t addr, size_t len,
                      struct err *err)
{
    char data[STUB_PACKET];

    return debug_io(s->m, -1) || debug_read(s->m, s->hart, session_space(s),
                                            addr, data, len, err) == len;
}

static bool write_memory(struct session *s, struct args *a, struct buf *out)
{
    struct err err = { "" };

    if (a->rest_len != a->n[1])
        return session_error(s, out, STUB_EINVAL,
                             "the packet's length and its data differ");
    if (a->rest_len > 0 &&
        (!can_write(s, a->n[0], a->rest_len, &err) ||
         debug_write(s->m, s->hart, session_space(s), a->n[0], a->rest,
                     a->rest_len, &err) != a->rest_len))
        return session_error(s, out, STUB_EFAULT, "%s", err.text);
    buf_str(out, "OK");
    return true;
}

/* Threads ------------------------------------------------------------------ */

/* Hg: for registers, memory and points. Hc: for c and s; vCont names its own
 * threads. "Any" leaves what was chosen. */
static bool choose_thread(struct session *s, struct args *a, struct buf *out)
{
    if (a->letter != 'g' && a->letter != 'c')
        return session_error(s, out, STUB_EINVAL, "malformed H packet");
    if (a->thread != THREAD_ALL && a->thread != THREAD_ANY &&
        !session_has_thread(s, a->thread))
        return session_error(s, out, STUB_EINVAL, "there is no such thread");
    if (a->letter == 'c')
        s->resumed = a->thread;
    else if (a->thread >= 0)
        s->hart = a->thread;
    buf_str(out, "OK");
    return true;
}

static bool thread_alive(struct session *s, struct args *a, struct buf *out)
{
    if (!session_has_thread(s, a->thread))
        return session_error(s, out, STUB_EINVAL, "there is no such thread");
    buf_str(out, "OK");
    return true;
}

/* Dispatch ----------------------------------------------------------------- */

/* clang-format off */
const struct packet packets[] = {
    /* name  arguments  handler          plain */
    { "g",   "",        read_registers,  false },
    { "G",   "b",       write_registers, false },
    { "p",   "h",       read_register,   false },
    { "P",   "h=b",     write_register,  false },
    { "m",   "h,h",     read_memory,     true },
    { "M",   "h,h:b",   write_memory,    false },
    { "x",   "h,h",     read_binary,     true },
    { "X",   "h,h:r",   write_memory,    false },
    { "H",   "ct",      choose_thread,   false },
    { "T",   "t",       thread_alive,    false },
    { NULL,  NULL,      NULL,            false },
};
/* clang-format on */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A name of several letters is a word: qC is not the start of qCRC. */
static bool matches(const struct packet *p, const char *data, size_t len)
{
    size_t n = strlen(p->name);

    return len >= n && memcmp(data, p->name, n) == 0 &&
           (n == 1 || len == n || !is_word(p->name[n - 1]) ||
            !is_word(data[n]));
}

static const struct packet *find(const char *data, size_t len)
{
    static const struct packet *const tables[] = {
        packets,      point_packets, resume_packets, queries,
        call_packets, file_packets,  symbol_packets,
    };

    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct packet *p = tables[t]; p->name; p++)
            if (matches(p, data, len))
                return p;
    return NULL;
}

void packets_handle(struct session *s, char *data, size_t len)
{
    const struct packet *p = find(data, len);
    struct buf out = { 0 };
    struct args a;
    bool reply = true;

    s->plain = p && p->plain;
    if (p) {
        size_t n = strlen(p->name);

        if (args_parse(p->schema, data + n, len - n, &a))
            reply = p->fn(s, &a, &out);
        else
            session_error(s, &out, STUB_EINVAL, "malformed %s packet", p->name);
    }
    if (reply)
        link_send(&s->link, buf_text(&out), out.len);
    buf_free(&out);
}
