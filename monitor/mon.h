/* SPDX-License-Identifier: MIT */
/*
 * mon.h - private to the monitor's room: a session, its rows and its editors.
 *
 * A session owns a chardev, a line editor and text on its way out. A line
 * that is complete goes to mon_run, which finds its row in hmp.def, parses
 * its arguments and calls the row's function. monitor_run_line does the same
 * with a session that has no chardev, for gdb.
 */
#ifndef MONITOR_MON_H
#define MONITOR_MON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/debug.h"
#include "monitor/monitor.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* QEMU's prompt: what scripts that drive a monitor wait for. */
#define PROMPT "(qemu) "

enum {
    LINE_LIMIT = 1024,     /* bytes in a typed line */
    OUT_LIMIT = 4 << 20,   /* bytes held for a client that does not read */
    HISTORY_LIMIT = 64,    /* lines; QEMU's */
    TYPEAHEAD_LIMIT = 4096 /* bytes kept while a command is still at work */
};

/* The phase from which on a row is allowed; debug_phase()'s numbers. */
enum from_phase {
    FROM_START,
    FROM_MACHINE,
    FROM_ACCEL,
    FROM_BACKENDS,
    FROM_BOARD, /* or as soon as there is a hart */
    FROM_READY,
};

/* /4bx: how many, of which size, shown how. */
struct format {
    uint64_t count;
    char letter; /* x d u o c i */
    unsigned size;
};

enum { MAX_ARGS = 4 };

struct arg {
    const char *name; /* in the row's schema, up to the colon */
    char *text;       /* s F S */
    uint64_t number;  /* l i; a flag's is 1 */
};

/* What was given, in the order of the schema; see hmp.def. */
struct args {
    struct arg arg[MAX_ARGS];
    size_t n;
    struct format format;
};

const char *arg_text(const struct args *a, const char *name); /* or NULL */
bool arg_given(const struct args *a, const char *name);
uint64_t arg_number(const struct args *a, const char *name, uint64_t def);

typedef void row_fn(struct monitor *mon, const struct args *a);

struct row {
    const char *name; /* aliases after a bar: "print|p" */
    const char *schema;
    const char *params, *help;
    enum from_phase from;
    row_fn *fn;
};

/* hmp.c */
extern const struct row command_rows[], info_rows[]; /* end with name NULL */
const struct row *row_named(const struct row *rows, const char *name,
                            size_t len);
void mon_run(struct monitor *mon, const char *line);
void mon_help_row(struct monitor *mon, const char *name);

/* args.c: false when a complaint was printed. */
bool mon_args_parse(struct monitor *mon, const struct row *row,
                    const char *text, struct args *a);
void args_free(struct args *a);

/* expr.c: reads an expression at *at and moves *at past it and the blanks
 * that follow. */
bool expr_parse(struct machine *m, int hart, const char **at, uint64_t *v,
                struct err *err);

/* The same expression as gdb's agent bytecode, to be evaluated when a point is
 * hit. Registers have to exist now, their values do not matter. */
bool expr_compile(struct machine *m, int hart, const char **at,
                  struct buf *code, struct err *err);

/* memory.c: the instruction at *addr as one line; moves *addr past it. */
bool mon_disas(struct monitor *mon, enum debug_space s, uint64_t *addr);

/* A session: monitor.c ---------------------------------------------------- */

struct chardev;
struct line;
struct timer;

struct monitor {
    struct machine *m;
    struct monitor_hooks hooks;
    struct chardev *c; /* NULL: monitor_run_line's */
    struct line *line;
    struct timer *drain, *progress; /* progress: of a snapshot, or NULL */
    struct buf out;                 /* not yet taken by the chardev */
    struct buf typed;               /* not yet taken by the line editor */
    int hart;
    bool open, focus;
    bool greeted;
    bool waiting; /* for its own `step` to end: no prompt */
    bool leaving; /* after `quit`: no prompt */
    bool cut;     /* out was full: the rest of the output is lost */
};

void mon_print(struct monitor *mon, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void mon_text(struct monitor *mon, const char *text, size_t len);
void mon_error(struct monitor *mon, const struct err *err); /* "Error: ..." */
bool mon_full(const struct monitor *mon); /* more output would be lost */

/* Around output that nobody asked for now: the typed line steps aside. */
void mon_hide(struct monitor *mon);
void mon_show(struct monitor *mon);
void mon_flush(struct monitor *mon);

/* Between these a session takes no line: its command is still at work. */
void mon_wait(struct monitor *mon);
void mon_resume(struct monitor *mon);

/* control.c: `step` goes on while the loop turns. */
void control_forget(const struct monitor *mon);

/* states.c: a session goes that may wait for a snapshot. */
void states_forget(struct monitor *mon);

/* time.c: a session that goes waits no more. */
void time_forget(const struct monitor *mon);

/* points.c: does a stop come from a point that was set in a monitor? */
bool points_stopped(struct monitor *mon, const struct debug_stop *s);
/* Were they set in a monitor, or left behind by who has gone? */
bool points_are_ours(const void *owner);
void points_forget(void);

/* history.c: lines typed in any session, oldest first. */
void history_note(const char *text);
const char *history_line(size_t n); /* NULL: no more */
void history_forget(void);

/* complete.c: what the last word of text may become: appends to common what
 * every candidate adds to it, to list the candidates when there are several. */
void complete(struct monitor *mon, const char *text, struct buf *common,
              struct buf *list);

/* A line editor is fed bytes and calls mon_line() ------------------------- */

struct line {
    const struct line_ops *ops;
    struct monitor *mon;
};

struct line_ops {
    void (*free)(struct line *l);
    void (*input)(struct line *l, const char *data, size_t len);
    void (*show)(struct line *l);  /* the prompt, and what is typed so far */
    void (*hide)(struct line *l);  /* moves to a fresh line; show follows */
    void (*clear)(struct line *l); /* forgets what is typed */
};

struct line *line_new(struct monitor *mon);  /* line.c; NULL: it is in use */
struct line *plain_new(struct monitor *mon); /* plain.c: pipes, sockets */

/* A line was typed: runs it and asks for the next one. */
void mon_line(struct monitor *mon, const char *text);

/* The functions of the rows ----------------------------------------------- */

#define CMD(name, schema, params, help, from, fn)  row_fn hmp_##fn;
#define INFO(name, schema, params, help, from, fn) row_fn info_##fn;
#include "monitor/hmp.def"
#undef CMD
#undef INFO

#endif
