/* SPDX-License-Identifier: MIT */
/* log.c - the three kinds of error, and what -d writes. */
#include "emu/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/buf.h"

enum { GUEST_LINES_A_SECOND = 200 };

/* QEMU's items in QEMU's order and words (facts/hmp.md, "log help"), and
 * commits. Items that have no meaning here are accepted as LOG_OTHER. */
static const struct {
    const char *name;
    uint32_t bit;
    const char *help;
} items[] = {
    { "out_asm", LOG_OUT_ASM,
      "show generated host assembly code for each compiled TB" },
    { "in_asm", LOG_IN_ASM, "show target assembly code for each compiled TB" },
    { "op", LOG_OTHER, "show micro ops for each compiled TB" },
    { "op_opt", LOG_OTHER, "show micro ops after optimization" },
    { "op_ind", LOG_OTHER, "show micro ops before indirect lowering" },
    { "op_plugin", LOG_OTHER, "show micro ops before plugin injection" },
    { "int", LOG_INT, "show interrupts/exceptions in short format" },
    { "exec", LOG_EXEC, "show trace before each executed TB (lots of logs)" },
    { "cpu", LOG_CPU,
      "show CPU registers before entering a TB (lots of logs)" },
    { "fpu", LOG_FPU, "include FPU registers in the 'cpu' logging" },
    { "mmu", LOG_MMU, "log MMU-related activities" },
    { "pcall", LOG_OTHER,
      "x86 only: show protected mode far calls/returns/exceptions" },
    { "cpu_reset", LOG_CPU_RESET, "show CPU state before CPU resets" },
    { "unimp", LOG_UNIMP, "log unimplemented functionality" },
    { "guest_errors", LOG_GUEST,
      "log when the guest OS does something invalid (eg accessing a\n"
      "non-existent register)" },
    { "page", LOG_OTHER, "dump pages at beginning of user mode emulation" },
    { "nochain", LOG_OTHER,
      "do not chain compiled TBs so that \"exec\" and \"cpu\" show\n"
      "complete traces" },
    { "plugin", LOG_OTHER, "output from TCG plugins" },
    { "strace", LOG_OTHER,
      "log every user-mode syscall, its input, and its result" },
    { "tid", LOG_OTHER,
      "open a separate log file per thread; filename must contain '%d'" },
    { "vpu", LOG_OTHER, "include VPU registers in the 'cpu' logging" },
    { "invalid_mem", LOG_INVALID_MEM, "log invalid memory accesses" },
    { "commits", LOG_COMMITS,
      "log each retired instruction in Spike's --log-commits form" },
};

enum { N_ITEMS = sizeof items / sizeof *items };

uint32_t log_mask;

static FILE *log_out; /* NULL: stderr */

/* The user's errors and memory --------------------------------------------- */

bool err_set(struct err *err, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return false;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
    struct buf text = { 0 };
    va_list ap;

    if (err == NULL)
        return false;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_printf(&text, ": %s", err->text);
    err_set(err, "%s", buf_text(&text));
    buf_free(&text);
    return false;
}

void die(const char *fmt, ...)
{
    va_list ap;

    fputs("ebreak: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static void *not_null(void *p)
{
    if (p == NULL)
        die("out of memory");
    return p;
}

void *xmalloc(size_t size) { return not_null(malloc(size ? size : 1)); }

void *xaligned(size_t size) { return not_null(aligned_alloc(size, size)); }

void *xcalloc(size_t n, size_t size)
{
    return not_null(n != 0 && size != 0 ? calloc(n, size) : calloc(1, 1));
}

void *xrealloc(void *p, size_t size)
{
    return not_null(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s) { return not_null(strdup(s)); }

char *xstrndup(const char *s, size_t n) { return not_null(strndup(s, n)); }

char *xasprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return not_null(n < 0 ? NULL : s);
}

/* Writing ------------------------------------------------------------------ */

static FILE *out(void) { return log_out != NULL ? log_out : stderr; }

void log_to(enum log_item item, const char *fmt, ...)
{
    va_list ap;

    if (!log_on(item))
        return;
    va_start(ap, fmt);
    vfprintf(out(), fmt, ap);
    va_end(ap);
}

/* A guest in a loop must not fill the host's disk: false when this second's
 * lines are used up. The next second begins by saying how many went. */
static bool guest_may_log(void)
{
    static time_t second;
    static unsigned lines;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec != second) {
        if (lines > GUEST_LINES_A_SECOND)
            fprintf(out(), "(%u more guest errors not shown)\n",
                    lines - GUEST_LINES_A_SECOND);
        second = now.tv_sec;
        lines = 0;
    }
    return ++lines <= GUEST_LINES_A_SECOND;
}

void log_guest(const char *fmt, ...)
{
    size_t len = strlen(fmt);
    va_list ap;

    if (!log_on(LOG_GUEST) || !guest_may_log())
        return;
    va_start(ap, fmt);
    vfprintf(out(), fmt, ap);
    va_end(ap);
    if (len == 0 || fmt[len - 1] != '\n')
        fputc('\n', out());
}

void log_flush(void)
{
    if (log_out != NULL)
        fflush(log_out);
}

/* Items -------------------------------------------------------------------- */

static bool is_word(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && memcmp(word, text, len) == 0;
}

static bool item_bits(const char *text, size_t len, uint32_t *bits)
{
    if (is_word("all", text, len)) {
        for (size_t i = 0; i < N_ITEMS; i++)
            *bits |= items[i].bit;
        return true;
    }
    if (is_word("none", text, len)) {
        *bits = 0;
        return true;
    }
    if (len > 6 && memcmp(text, "trace:", 6) == 0) {
        *bits |= LOG_OTHER;
        return true;
    }
    for (size_t i = 0; i < N_ITEMS; i++) {
        if (is_word(items[i].name, text, len)) {
            *bits |= items[i].bit;
            return true;
        }
    }
    return false;
}

bool log_parse(const char *text, uint32_t *mask, struct err *err)
{
    uint32_t bits = 0;

    for (const char *at = text;;) {
        size_t len = strcspn(at, ",");

        if (!item_bits(at, len, &bits))
            return err_set(err, "Invalid log item '%.*s'", (int)len, at);
        if (at[len] == 0)
            break;
        at += len + 1;
    }
    *mask = bits;
    return true;
}

void log_help(struct buf *b)
{
    buf_str(b, "Log items (comma separated):\n");
    buf_printf(b, "%-15s %s\n", "none", "remove all logs");
    for (size_t i = 0; i < N_ITEMS; i++)
        buf_printf(b, "%-15s %s\n", items[i].name, items[i].help);
    buf_printf(b, "%-15s %s\n", "trace:PATTERN", "enable trace events");
    buf_str(b, "\nUse \"log trace:help\" to get a list of trace events.\n");
}

void log_names(uint32_t mask, struct buf *b)
{
    const char *comma = "";

    if (mask == 0)
        buf_str(b, "none");
    for (size_t i = 0; i < N_ITEMS; i++) {
        if ((items[i].bit & mask & ~(uint32_t)LOG_OTHER) == 0)
            continue;
        buf_printf(b, "%s%s", comma, items[i].name);
        comma = ",";
    }
    if (mask & LOG_OTHER)
        buf_printf(b, "%sother", comma);
}

/* The file ----------------------------------------------------------------- */

/* path with its one "%d" replaced by the process's number; NULL if it has
 * another conversion or several. */
static char *file_name(const char *path)
{
    const char *percent = strchr(path, '%');

    if (percent == NULL)
        return xstrdup(path);
    if (percent[1] != 'd' || strchr(percent + 1, '%') != NULL)
        return NULL;
    return xasprintf("%.*s%d%s", (int)(percent - path), path, (int)getpid(),
                     percent + 2);
}

static FILE *open_file(const char *path, struct err *err)
{
    char *name = file_name(path);

    if (name == NULL) {
        err_set(err, "Bad logfile template: %s", path);
        return NULL;
    }
    FILE *f = fopen(name, "we");
    if (f == NULL)
        err_set(err, "Error opening logfile %s: %s", name, strerror(errno));
    free(name);
    return f;
}

bool log_file(const char *path, struct err *err)
{
    FILE *f = NULL;

    if (path != NULL && (f = open_file(path, err)) == NULL)
        return false;
    if (log_out != NULL)
        fclose(log_out);
    log_out = f;
    return true;
}
