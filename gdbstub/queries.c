/* SPDX-License-Identifier: MIT */
/*
 * queries.c - the packets that start with q and Q, but for qXfer.
 *
 * "Debugging with GDB", E.4 General Query Packets; the qqemu.* names are
 * those of QEMU, whose users have scripts for them.
 */
#include <stdio.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/stub.h"

/* What each side can do ---------------------------------------------------- */

/* "name+" in gdb's list; each qSupported overrides the one before. */
static bool offers(const char *list, const char *feature)
{
    size_t n = strlen(feature);

    for (const char *p = list; p; p = strchr(p, ';')) {
        p += *p == ';';
        if (strncmp(p, feature, n) == 0 && (p[n] == ';' || p[n] == '\0'))
            return true;
    }
    return false;
}

static bool supported(struct session *s, struct args *a, struct buf *out)
{
    s->multiprocess = offers(a->rest, "multiprocess+");
    s->swbreak = offers(a->rest, "swbreak+");
    s->hwbreak = offers(a->rest, "hwbreak+");
    s->error_message = offers(a->rest, "error-message+");
    buf_printf(out,
               "PacketSize=%x;QStartNoAckMode+;multiprocess+;"
               "vContSupported+;ReverseStep+;ReverseContinue+;"
               "swbreak+;hwbreak+;binary-upload+;"
               "ConditionalBreakpoints+;BreakpointCommands+",
               STUB_PACKET);
    objects_offer(out);
    return true;
}

/* The OK is acknowledged still: gdb's + is ignored like any stray one. */
static bool no_ack(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    s->link.no_ack = true;
    buf_str(out, "OK");
    return true;
}

/* Threads ------------------------------------------------------------------ */

static bool current_thread(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    buf_str(out, "QC");
    session_thread(s, out, s->hart);
    return true;
}

static bool first_threads(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    for (int i = 0; i < session_threads(s); i++) {
        buf_chr(out, i == 0 ? 'm' : ',');
        session_thread(s, out, i);
    }
    return true;
}

static bool more_threads(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_chr(out, 'l');
    return true;
}

static bool thread_info(struct session *s, struct args *a, struct buf *out)
{
    struct buf text = { 0 };

    if (!session_has_thread(s, a->thread))
        return session_error(s, out, STUB_EINVAL, "there is no such thread");
    session_describe(s, a->thread, &text);
    buf_hex(out, buf_text(&text), text.len);
    buf_free(&text);
    return true;
}

static bool attached(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_chr(out, '1'); /* quitting gdb detaches, it does not kill */
    return true;
}

/* monitor ------------------------------------------------------------------ */

/*
 * A command that lets the machine run would make gdb believe in registers
 * that are gone: it is stopped again before its next instruction.
 */
static void keep_stopped(struct session *s)
{
    static const char text[] = "gdb holds the machine: use gdb's continue.\n";

    debug_interrupt(s->m);
    session_say(s, text, sizeof text - 1);
}

static bool monitor(struct session *s, struct args *a, struct buf *out)
{
    static const char cut[] = "\n(the rest is cut off)\n";
    const struct gdbstub_config *config = &s->stub->config;
    struct buf text = { 0 };
    bool ran = debug_running(s->m);

    if (!config->monitor || memchr(a->rest, '\0', a->rest_len))
        return session_error(s, out, STUB_EINVAL, "there is no monitor here");
    config->monitor(config->monitor_opaque, s->hart, a->rest, &text);
    session_say(s, buf_text(&text),
                text.len < STUB_TEXT ? text.len : STUB_TEXT);
    if (text.len > STUB_TEXT)
        session_say(s, cut, sizeof cut - 1);
    buf_free(&text);
    if (!ran && debug_seeking(s->m)) {
        s->owed = OWE_MONITOR;
        return false;
    }
    if (!ran && debug_running(s->m))
        keep_stopped(s);
    buf_str(out, "OK");
    return true;
}

/* Memory ------------------------------------------------------------------- */

/* CRC-32, most significant bit first, started with all ones, not inverted. */
static uint32_t crc_of_byte(uint32_t byte)
{
    uint32_t c = byte << 24;

    for (int bit = 0; bit < 8; bit++)
        c = c & 0x80000000 ? c << 1 ^ 0x04c11db7 : c << 1;
    return c;
}

static uint32_t crc32_msb(uint32_t crc, const uint8_t *data, size_t len)
{
    static uint32_t table[256]; /* entry 255 is not 0 once it is made */

    for (uint32_t i = 0; !table[255] && i < 256; i++)
        table[i] = crc_of_byte(i);
    for (size_t i = 0; i < len; i++)
        crc = crc << 8 ^ table[(crc >> 24 ^ data[i]) & 0xff];
    return crc;
}

/* A range too long to do at once is "not supported": gdb then reads it. */
static bool crc(struct session *s, struct args *a, struct buf *out)
{
    uint8_t data[4096];
    uint32_t sum = 0xffffffff;
    struct err err = { "" };

    if (a->n[1] > STUB_CRC)
        return true;
    for (uint64_t done = 0; done < a->n[1]; done += sizeof data) {
        uint64_t left = a->n[1] - done;
        size_t n = left < sizeof data ? (size_t)left : sizeof data;

        if (debug_read(s->m, s->hart, session_space(s), a->n[0] + done, data, n,
                       &err) != n)
            return session_error(s, out, STUB_EFAULT, "%s", err.text);
        sum = crc32_msb(sum, data, n);
    }
    buf_printf(out, "C%08x", sum);
    return true;
}

/* Where the pattern is in what can be read of data, or -1. */
static int64_t find_in(const char *data, size_t len, const struct args *a)
{
    const char *p = len ? memmem(data, len, a->rest, a->rest_len) : NULL;

    return p ? p - data : -1;
}

/*
 * Pages that cannot be read are passed over. Parts overlap by a pattern less
 * one, so that it is found across them. Too long a range is "not supported".
 */
static bool search(struct session *s, struct args *a, struct buf *out)
{
    char data[2 * STUB_PART];
    uint64_t at = a->n[0], left = a->n[1];

    if (a->rest_len == 0 || a->rest_len > STUB_PART)
        return session_error(s, out, STUB_EINVAL, "no pattern, or too long");
    if (left > STUB_SEARCH)
        return true;
    while (left >= a->rest_len) {
        size_t want = left < sizeof data ? (size_t)left : sizeof data;
        size_t got =
            debug_read(s->m, s->hart, session_space(s), at, data, want, NULL);
        int64_t found = find_in(data, got, a);
        uint64_t next = got == want ? want - a->rest_len + 1
                                    : got + 4096 - (at + got) % 4096;

        if (found >= 0) {
            buf_printf(out, "1,%llx", (unsigned long long)at + found);
            return true;
        }
        next = next < left ? next : left;
        at += next;
        left -= next;
    }
    buf_chr(out, '0');
    return true;
}

/* QEMU's own --------------------------------------------------------------- */

enum { SSTEP_ENABLE = 1, SSTEP_NOIRQ = 2, SSTEP_NOTIMER = 4 };

static bool qemu_supported(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_str(out, "sstepbits;sstep;PhyMemMode");
    return true;
}

static bool qemu_sstep_bits(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_printf(out, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", SSTEP_ENABLE, SSTEP_NOIRQ,
               SSTEP_NOTIMER);
    return true;
}

static bool qemu_sstep(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    buf_printf(out, "0x%x", s->sstep);
    return true;
}

static bool qemu_set_sstep(struct session *s, struct args *a, struct buf *out)
{
    if (a->n[0] > (SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER))
        return session_error(s, out, STUB_EINVAL, "unknown sstep bits");
    s->sstep = (unsigned)a->n[0];
    s->irq = s->sstep & (SSTEP_NOIRQ | SSTEP_NOTIMER) ? DEBUG_IRQ_MASK
                                                      : DEBUG_IRQ_INTO;
    buf_str(out, "OK");
    return true;
}

static bool qemu_physical(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    buf_chr(out, s->physical ? '1' : '0');
    return true;
}

static bool qemu_set_physical(struct session *s, struct args *a,
                              struct buf *out)
{
    s->physical = a->n[0] != 0;
    buf_str(out, "OK");
    return true;
}

/* clang-format off */
const struct packet queries[] = {
    /* name                  arguments  handler             plain */
    { "qSupported",          "[:r",     supported,          false },
    { "QStartNoAckMode",     "",        no_ack,             false },
    { "qC",                  "",        current_thread,     false },
    { "qfThreadInfo",        "",        first_threads,      false },
    { "qsThreadInfo",        "",        more_threads,       false },
    { "qThreadExtraInfo",    ",t",      thread_info,        false },
    { "qAttached",           "[:h",     attached,           false },
    { "qXfer",               ":r",      objects_xfer,       false },
    { "qRcmd",               ",b",      monitor,            true  },
    { "qCRC",                ":h,h",    crc,                false },
    { "qSearch:memory",      ":h;h;r",  search,             false },
    { "qqemu.Supported",     "",        qemu_supported,     false },
    { "qqemu.sstepbits",     "",        qemu_sstep_bits,    false },
    { "qqemu.sstep",         "",        qemu_sstep,         false },
    { "Qqemu.sstep",         "=h",      qemu_set_sstep,     false },
    { "qqemu.PhyMemMode",    "",        qemu_physical,      false },
    { "Qqemu.PhyMemMode",    ":h",      qemu_set_physical,  false },
    { NULL,                  NULL,      NULL,               false },
};
/* clang-format on */
