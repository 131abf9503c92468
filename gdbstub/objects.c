/* SPDX-License-Identifier: MIT */
/*
 * objects.c - what gdb reads with qXfer: registers, threads, programs, and
 * tables for `info os`.
 *
 * "Debugging with GDB", E.4 General Query Packets, and E.13 ff. for the forms
 * of the documents.
 */
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "gdbstub/stub.h"

/* Names come from files and paths. */
void objects_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '&' || *text == '"')
            buf_printf(out, "&#%d;", *text);
        else
            buf_chr(out, (char)(*text < ' ' || *text > '~' ? '?' : *text));
    }
}

/* Threads ------------------------------------------------------------------ */

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

void session_describe(struct session *s, int hart, struct buf *out)
{
    char comm[16];

    describe(s, hart, out);
    if (hart < debug_harts(s->m) && session_task(s, hart, comm))
        buf_printf(out, ", %s", comm);
}

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
        struct buf text = { 0 };

        buf_str(out, "<thread id=\"");
        session_thread(s, out, i);
        buf_printf(out, "\" core=\"%d\" name=\"hart%d\">", i, i);
        session_describe(s, i, &text);
        objects_text(out, buf_text(&text));
        buf_free(&text);
        buf_str(out, "</thread>\n");
    }
    buf_str(out, "</threads>\n");
    return true;
}

/* Programs ----------------------------------------------------------------- */

/* The program that gdb debugs: the kernel, else the firmware, else any. */
static bool main_program(const struct machine *m, size_t *which)
{
    static const char *const roles[] = { "kernel", "firmware", "loader" };
    struct debug_image i;

    for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++)
        for (*which = 0; debug_image(m, *which, &i); ++*which)
            if (i.elf && strcmp(i.role, roles[r]) == 0)
                return true;
    return false;
}

/* The annex is a process: there is one. */
static bool xfer_exec_file(struct session *s, const char *annex,
                           struct buf *out)
{
    struct debug_image i;
    size_t n;

    (void)annex;
    if (!main_program(s->m, &n) || !debug_image(s->m, n, &i))
        return false;
    buf_str(out, i.path);
    return true;
}

/* gdb was given the kernel, of which the emulator has only an Image. */
static bool has_another(const struct session *s, const struct debug_image *i)
{
    return strcmp(i->role, "kernel") != 0 && s->symbol[SYMBOL_BANNER];
}

/*
 * All other programs, where they are in memory; and the main one too, if it
 * starts at other addresses than it is linked for: so a breakpoint in a kernel
 * is also hit before the kernel's page tables are on.
 */
static bool xfer_libraries(struct session *s, const char *annex,
                           struct buf *out)
{
    size_t program;
    bool found = main_program(s->m, &program);
    struct debug_image i;
    struct debug_segment g;

    if (*annex)
        return false;
    buf_str(out, "<library-list version=\"1.0\">\n");
    for (size_t n = 0; found && debug_image(s->m, n, &i); n++) {
        if (!i.elf || !debug_segment(s->m, n, 0, &g) ||
            (n == program && g.va == g.pa && !has_another(s, &i)))
            continue;
        buf_str(out, "<library name=\"");
        objects_text(out, i.path);
        buf_printf(out, "\"><segment address=\"0x%llx\"/></library>\n",
                   (unsigned long long)g.pa);
    }
    modules_list(s, out);
    buf_str(out, "</library-list>\n");
    return true;
}

/* Tables for `info os` ------------------------------------------------------ */

void objects_column(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "<column name=\"%s\">", name);
    objects_text(out, text);
    buf_str(out, "</column>");
}

static void number_column(struct buf *out, const char *name, const char *fmt,
                          unsigned long long value)
{
    struct buf text = { 0 };

    buf_printf(&text, fmt, value);
    objects_column(out, name, buf_text(&text));
    buf_free(&text);
}

static void add_harts(struct session *s, struct buf *out)
{
    for (int n = 0; n < debug_harts(s->m); n++) {
        struct buf mode = { 0 };
        struct debug_hart h;
        const char *symbol;
        char comm[16];
        uint64_t offset;

        debug_hart(s->m, n, &h);
        describe(s, n, &mode);
        symbol = debug_symbol(s->m, h.pc, &offset);
        buf_str(out, "<item>");
        number_column(out, "Hart", "%llu", (unsigned)n);
        objects_column(out, "State", buf_text(&mode));
        number_column(out, "PC", "0x%016llx", h.pc);
        objects_column(out, "Symbol", symbol ? symbol : "");
        objects_column(out, "Task", session_task(s, n, comm) ? comm : "");
        number_column(out, "Steps", "%llu", h.steps);
        buf_str(out, "</item>\n");
        buf_free(&mode);
    }
}

static void add_devices(struct session *s, struct buf *out)
{
    const char *name, *type;

    for (size_t n = 0; debug_dev(s->m, n, &name, &type); n++) {
        buf_str(out, "<item>");
        objects_column(out, "Name", name);
        objects_column(out, "Type", type ? type : "");
        buf_str(out, "</item>\n");
    }
}

/* A row per line of text, which is freed: up to sep, and after it. */
static void add_lines(struct buf *out, struct buf *text, const char *sep,
                      const char *first, const char *second)
{
    char *line, *next;

    for (line = text->data; line && *line; line = next) {
        const char *what = line;
        char *at, *end = strchr(line, '\n');

        next = end ? end + 1 : line + strlen(line);
        if (end)
            *end = '\0';
        at = strstr(line, sep);
        if (at)
            what = at + strlen(sep);
        while (at && at > line && at[-1] == ' ')
            at--;
        if (at)
            *at = '\0';
        buf_str(out, "<item>");
        objects_column(out, first, at ? line : "");
        objects_column(out, second, what);
        buf_str(out, "</item>\n");
    }
    buf_free(text);
}

static void add_irqs(struct session *s, struct buf *out)
{
    struct buf text = { 0 };

    debug_irqs(s->m, &text);
    add_lines(out, &text, ": ", "Where", "State");
}

static void add_checkpoints(struct session *s, struct buf *out)
{
    struct buf text = { 0 };

    debug_checkpoints(s->m, &text);
    add_lines(out, &text, " T=", "Name", "T");
}

static void add_timers(struct session *s, struct buf *out)
{
    static const char *const clocks[] = { [LOOP_REALTIME] = "realtime",
                                          [LOOP_VIRTUAL] = "virtual",
                                          [LOOP_HOST] = "host" };
    struct loop_timer t;

    for (size_t n = 0; loop_timer(debug_loop(s->m), n, &t); n++) {
        buf_str(out, "<item>");
        objects_column(out, "Name", t.name);
        objects_column(out, "Clock", clocks[t.clock]);
        if (t.expires == INT64_MAX)
            objects_column(out, "Expires (ns)", "");
        else
            number_column(out, "Expires (ns)", "%lld",
                          (unsigned long long)t.expires);
        buf_str(out, "</item>\n");
    }
}

/* Every program that was loaded, a row per segment. */
static void add_images(struct session *s, struct buf *out)
{
    struct debug_image i;
    struct debug_segment g;

    for (size_t n = 0; debug_image(s->m, n, &i); n++)
        for (size_t k = 0; debug_segment(s->m, n, k, &g); k++) {
            buf_str(out, "<item>");
            objects_column(out, "Role", i.role);
            number_column(out, "Physical", "0x%llx", g.pa);
            number_column(out, "Linked at", "0x%llx", g.va);
            number_column(out, "Size", "0x%llx", g.size);
            objects_column(out, "File", i.path);
            buf_str(out, "</item>\n");
        }
}

static void add_kernel(struct session *s, struct buf *out)
{
    char banner[256];

    if (!session_banner(s, banner, sizeof banner))
        return;
    buf_str(out, "<item>");
    objects_column(out, "Kernel", banner);
    number_column(out, "init_task", "0x%llx", s->symbol[SYMBOL_INIT_TASK]);
    buf_str(out, "</item>\n");
}

static const struct {
    const char *type, *title, *help;
    void (*add)(struct session *s, struct buf *out);
} tables[] = {
    { "harts", "Harts", "Where each hart is", add_harts },
    { "devices", "Devices", "Everything that has state", add_devices },
    { "irqs", "Interrupts", "Interrupt controllers and lines", add_irqs },
    { "timers", "Timers", "Deadlines of devices and of the emulator",
      add_timers },
    { "checkpoints", "Checkpoints", "Moments with a name: goto",
      add_checkpoints },
    { "kernel", "Kernel", "The Linux that gdb has symbols of", add_kernel },
    { "modules", "Modules", "Modules of that Linux", modules_table },
    { "images", "Images", "Files that were put into memory", add_images },
};

enum { TABLES = sizeof tables / sizeof tables[0] };

static void add_types(struct session *s, struct buf *out)
{
    (void)s;
    for (size_t i = 0; i < TABLES; i++) {
        buf_str(out, "<item>");
        objects_column(out, "Type", tables[i].type);
        objects_column(out, "Description", tables[i].help);
        objects_column(out, "Title", tables[i].title);
        buf_str(out, "</item>\n");
    }
}

static bool xfer_osdata(struct session *s, const char *annex, struct buf *out)
{
    size_t i = 0;

    while (*annex && i < TABLES && strcmp(annex, tables[i].type) != 0)
        i++;
    if (i == TABLES)
        return false;
    buf_printf(out, "<osdata type=\"%s\">\n", *annex ? annex : "types");
    if (*annex)
        tables[i].add(s, out);
    else
        add_types(s, out);
    buf_str(out, "</osdata>\n");
    return true;
}

/* qXfer -------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*make)(struct session *s, const char *annex, struct buf *out);
} objects[] = {
    { "features", xfer_features },   { "threads", xfer_threads },
    { "exec-file", xfer_exec_file }, { "libraries", xfer_libraries },
    { "osdata", xfer_osdata },
};

enum { OBJECTS = sizeof objects / sizeof objects[0] };

void objects_offer(struct buf *out)
{
    for (size_t i = 0; i < OBJECTS; i++)
        buf_printf(out, ";qXfer:%s:read+", objects[i].name);
}

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
bool objects_xfer(struct session *s, struct args *a, struct buf *out)
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
