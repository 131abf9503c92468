/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - qSymbol: what gdb knows of the program, and the Linux in it.
 *
 * "Debugging with GDB", E.4 General Query Packets. gdb asks whether there is
 * something to look up whenever it has read symbols; it knows those of a
 * vmlinux where the emulator was given an Image without any.
 *
 * modules.c says what the names of modules are for.
 *
 * Two names are enough to say which task a hart runs, without knowing how
 * task_struct is laid out: init_task's name begins with "swapper", and where
 * it stands it stands in each task. RISC-V Linux keeps the running task in tp
 * while in the kernel, and in sscratch otherwise (arch/riscv/kernel/entry.S).
 */
#include <string.h>

#include "gdbstub/stub.h"

static const char *const names[] = {
    [SYMBOL_BANNER] = "linux_banner",
    [SYMBOL_INIT_TASK] = "init_task",
    [SYMBOL_MODULES] = "modules",
    [SYMBOL_BTF] = "__start_BTF",
    [SYMBOL_BTF_END] = "__stop_BTF",
    [SYMBOL_DO_INIT_MODULE] = "do_init_module",
};

enum { TASK_STRUCT = 16 << 10, COMM = 16 };

/* Asks for the first that was not asked for yet. */
static void ask_next(struct session *s, struct buf *out)
{
    if (s->symbols_asked == SYMBOLS) {
        modules_look(s);
        buf_str(out, "OK");
        return;
    }
    buf_str(out, "qSymbol:");
    buf_hex(out, names[s->symbols_asked], strlen(names[s->symbols_asked]));
}

/* qSymbol:: there may be new ones. qSymbol:[VALUE]:NAME */
static bool symbol(struct session *s, struct args *a, struct buf *out)
{
    struct cursor c = { a->rest, a->rest + a->rest_len };
    struct args name = { 0 };
    uint64_t value = 0;
    bool known = take_hex(&c, &value);

    if (!take_char(&c, ':') ||
        !args_parse("b", c.at, (size_t)(c.end - c.at), &name))
        return session_error(s, out, STUB_EINVAL, "malformed qSymbol packet");
    if (name.rest_len == 0) {
        s->symbols_asked = 0;
        s->comm = 0;
    } else if (s->symbols_asked < SYMBOLS &&
               strcmp(name.rest, names[s->symbols_asked]) == 0) {
        s->symbol[s->symbols_asked++] = known ? value : 0;
    }
    ask_next(s, out);
    return true;
}

static size_t read_at(const struct session *s, int hart, uint64_t addr,
                      void *data, size_t len)
{
    return debug_read(s->m, hart, DEBUG_VIRT, addr, data, len, NULL);
}

bool session_banner(const struct session *s, char *text, size_t size)
{
    static const char start[] = "Linux version ";
    uint64_t at = s->symbol[SYMBOL_BANNER];
    size_t n = at ? read_at(s, s->hart, at, text, size - 1) : 0;

    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return strncmp(text, start, sizeof start - 1) == 0;
}

/* Where a task's name stands in it; 0: not known, or not yet. */
static uint64_t find_comm(const struct session *s, int hart)
{
    static const char swapper[] = "swapper";
    char task[TASK_STRUCT], banner[16], *at;
    uint64_t init = s->symbol[SYMBOL_INIT_TASK];
    size_t n;

    if (!init || !session_banner(s, banner, sizeof banner))
        return 0;
    n = read_at(s, hart, init, task, sizeof task);
    at = n ? memmem(task, n, swapper, sizeof swapper - 1) : NULL;
    return at ? (uint64_t)(at - task) : 0;
}

static uint64_t register_named(const struct session *s, int hart,
                               const char *name)
{
    const struct debug_reg *r = debug_reg_named(s->m, name);
    uint64_t v = 0;

    return r && debug_reg_get(s->m, hart, r, &v) ? v : 0;
}

static bool is_name(const char *comm)
{
    size_t n = strnlen(comm, COMM);

    for (size_t i = 0; i < n; i++)
        if (comm[i] < ' ' || comm[i] > '~')
            return false;
    return n > 0 && n < COMM;
}

bool session_task(struct session *s, int hart, char *comm)
{
    enum { M_MODE = 3 };
    struct debug_hart h;
    uint64_t task;

    debug_hart(s->m, hart, &h);
    if (h.priv == M_MODE || !s->symbol[SYMBOL_INIT_TASK])
        return false;
    if (!s->comm)
        s->comm = find_comm(s, hart);
    task = register_named(s, hart, "sscratch");
    if (!task)
        task = register_named(s, hart, "tp");
    return s->comm && task &&
           read_at(s, hart, task + s->comm, comm, COMM) == COMM &&
           is_name(comm);
}

/* clang-format off */
const struct packet symbol_packets[] = {
    /* name      arguments  handler  plain */
    { "qSymbol", ":r",      symbol,  false },
    { NULL,      NULL,      NULL,    false },
};
/* clang-format on */
