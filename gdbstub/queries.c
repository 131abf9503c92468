/* SPDX-License-Identifier: MIT */
/*
 * queries.c - the packets that start with q and Q, and the objects that are
 * read by qXfer.
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
               "vContSupported+;swbreak+;hwbreak+;binary-upload+;"
               "qXfer:features:read+;qXfer:threads:read+",
               STUB_PACKET);
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

/* "S-mode, wfi"; before there are harts, how far the start-up is. */
static void describe(const struct session *s, int hart, struct buf *out)
{
    static const char *const modes[] = { "U-mode", "S-mode", "H-mode",
                                         "M-mode" };
    struct debug_hart h;

    if (hart >= debug_harts(s->m)) {
        buf_printf(out, "no hart yet, phase %s",
                   debug_phase_name(debug_phase(s->m)));
        return;
    }
    debug_hart(s->m, hart, &h);
    buf_printf(out, "%s%s", modes[h.priv & 3], h.waiting ? ", wfi" : "");
}

static bool thread_info(struct session *s, struct args *a, struct buf *out)
{
    struct buf text = { 0 };

    if (!session_has_thread(s, a->thread))
        return session_error(s, out, STUB_EINVAL, "there is no such thread");
    describe(s, a->thread, &text);
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

/* Objects ------------------------------------------------------------------ */

static bool xfer_features(struct session *s, const char *annex, struct buf *out)
{
    return target_xml(s->m, annex, out);
}

static bool xfer_threads(struct session *s, const char *annex, struct buf *out)
{
    if (*annex)
        return false;
    buf_str(out, "<?xml version=\"1.0\"?>\n<threads>\n");
    for (int i = 0; i < session_threads(s); i++) {
        buf_str(out, "<thread id=\"");
        session_thread(s, out, i);
        buf_printf(out, "\" core=\"%d\" name=\"hart%d\">", i, i);
        describe(s, i, out);
        buf_str(out, "</thread>\n");
    }
    buf_str(out, "</threads>\n");
    return true;
}

static const struct {
    const char *name;
    bool (*make)(struct session *s, const char *annex, struct buf *out);
} objects[] = {
    { "features", xfer_features },
    { "threads", xfer_threads },
};

enum { OBJECTS = sizeof objects / sizeof objects[0] };

/* Cuts text's next part, up to sep, off and ends it with a 0 byte. */
static char *split(char **text, char sep)
{
    char *part = *text, *end = strchr(part, sep);

    if (!end)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return part;
}

/* m: more is to come; l: that was the last. Without state: the object is made
 * anew for each part. */
static bool send_part(struct session *s, const struct buf *whole,
                      const struct args *a, struct buf *out)
{
    size_t max = STUB_PACKET / 2 - 1, left, n;

    if (a->n[0] > whole->len)
        return session_error(s, out, STUB_EINVAL, "offset past the end");
    left = whole->len - (size_t)a->n[0];
    n = left < max ? left : max;
    if (a->n[1] < n)
        n = (size_t)a->n[1];
    buf_chr(out, n < left ? 'm' : 'l');
    link_escape(out, buf_text(whole) + a->n[0], n);
    return true;
}

/* qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH */
static bool xfer(struct session *s, struct args *a, struct buf *out)
{
    char *text = a->rest, *end = a->rest + a->rest_len;
    char *object = split(&text, ':');
    char *verb = object ? split(&text, ':') : NULL;
    char *annex = verb ? split(&text, ':') : NULL;
    struct buf whole = { 0 };
    size_t i = 0;
    struct args range;

    while (object && i < OBJECTS && strcmp(objects[i].name, object) != 0)
        i++;
    if (!annex || i == OBJECTS || strcmp(verb, "read") != 0)
        return true; /* not supported */
    if (!args_parse("h,h", text, (size_t)(end - text), &range))
        return session_error(s, out, STUB_EINVAL, "malformed qXfer packet");
    if (objects[i].make(s, annex, &whole))
        send_part(s, &whole, &range, out);
    else
        buf_str(out, "E00"); /* E.3: the annex is not there */
    buf_free(&whole);
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
    { "qXfer",               ":r",      xfer,               false },
    { "qRcmd",               ",b",      monitor,            true  },
    { "qCRC",                ":h,h",    crc,                false },
    { "qqemu.Supported",     "",        qemu_supported,     false },
    { "qqemu.sstepbits",     "",        qemu_sstep_bits,    false },
    { "qqemu.sstep",         "",        qemu_sstep,         false },
    { "Qqemu.sstep",         "=h",      qemu_set_sstep,     false },
    { "qqemu.PhyMemMode",    "",        qemu_physical,      false },
    { "Qqemu.PhyMemMode",    ":h",      qemu_set_physical,  false },
    { NULL,                  NULL,      NULL,               false },
};
/* clang-format on */
