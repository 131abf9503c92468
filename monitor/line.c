/* SPDX-License-Identifier: MIT */
/*
 * line.c - readline, or libedit in its place, behind a session on a terminal.
 *
 * Only the callback interface is used: the loop stays in charge, and the
 * terminal stays the chardev's. Typed bytes reach the library through
 * rl_getc_function, what it draws leaves through rl_outstream. The library
 * has one global state, so one session at a time can have it.
 *
 * While a command runs no handler is installed: installing it draws the
 * prompt, removing it is how the line steps aside.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef USE_LIBEDIT
#include <editline/readline.h>
#include <pty.h>
#else
#include <readline/history.h>
#include <readline/readline.h>
#endif

#include "monitor/mon.h"

enum { CTRL_C = 3, ESCAPE = 0x1b, FILE_LIMIT = 1000, KEY_LIMIT = 16 };

static struct editor {
    struct line line;       /* mon is NULL while nobody has the library */
    char key[KEY_LIMIT];    /* one key: a byte or an escape sequence */
    size_t key_len, key_at; /* what the library has read of it */
    char *done;             /* a line that was entered */
    char *kept;             /* what was typed when the line stepped aside */
    int kept_point;
    bool entered, shown;
} ed;

/* The library's two streams --------------------------------------------------
 * They live as long as the process: the library keeps them. */

#ifdef USE_LIBEDIT

/* libedit edits only on descriptors that are terminals and echo: it gets a
 * pty of its own, and what it draws is collected at the other end. */
static int pty_end = -1;

static bool open_streams(void)
{
    int end, fd;

    if (pty_end >= 0)
        return true;
    if (openpty(&end, &fd, NULL, NULL, NULL) < 0)
        return false;
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    rl_instream = fdopen(fd, "r");
    rl_outstream = fdopen(dup(fd), "w");
    pty_end = end;
    return true;
}

static void collect(void)
{
    char text[4096];
    ssize_t n;

    fflush(rl_outstream);
    while ((n = read(pty_end, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (text[i] != '\r' || (i + 1 < n && text[i + 1] != '\n'))
                mon_text(ed.line.mon, text + i, 1);
}

static void set_size(const struct winsize *w)
{
    ioctl(pty_end, TIOCSWINSZ, w);
    rl_resize_terminal();
}

static void set_up(void) {}

/* A function bound to a key has to draw what it inserted. */
static void redraw(void) { rl_forced_update_display(); }

#else

static ssize_t draw(void *cookie, const char *text, size_t len)
{
    (void)cookie;
    if (ed.line.mon)
        mon_text(ed.line.mon, text, len);
    return (ssize_t)len;
}

static bool open_streams(void)
{
    static const cookie_io_functions_t out = { .write = draw };

    if (!rl_instream)
        rl_instream = fopen("/dev/null", "re");
    if (!rl_outstream)
        rl_outstream = fopencookie(NULL, "w", out);
    return rl_instream && rl_outstream;
}

static void collect(void) { fflush(rl_outstream); }

static void set_size(const struct winsize *w)
{
    rl_set_screen_size(w->ws_row, w->ws_col);
}

static int typed_ahead(void) { return ed.key_at < ed.key_len; }

static void set_up(void)
{
    rl_catch_sigwinch = 0;
    rl_input_available_hook = typed_ahead;
    rl_variable_bind("enable-bracketed-paste", "off");
}

static void redraw(void) {}

#endif

static int next_byte(FILE *f)
{
    (void)f;
    return ed.key_at < ed.key_len ? (unsigned char)ed.key[ed.key_at++] : EOF;
}

/* The terminal is the process's own: nobody else passes its size on. */
static void follow_size(void)
{
    struct winsize w;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        set_size(&w);
}

/* The line ---------------------------------------------------------------- */

/* An empty prompt, because the library draws it once more on the way out. */
static void entered(char *text)
{
    ed.entered = true;
    ed.done = text;
    rl_set_prompt("");
}

static void install(void)
{
    follow_size();
    rl_point = rl_end = 0; /* libedit keeps the last line's */
    rl_callback_handler_install(PROMPT, entered);
    ed.shown = true;
    if (ed.kept && *ed.kept) {
        rl_insert_text(ed.kept);
        rl_point = ed.kept_point;
        rl_forced_update_display();
    }
    free(ed.kept);
    ed.kept = NULL;
    collect();
}

static void uninstall(void)
{
    rl_callback_handler_remove();
    ed.shown = false;
    collect();
}

static void show(struct line *l)
{
    (void)l;
    if (!ed.shown)
        install();
}

static void hide(struct line *l)
{
    if (ed.shown) {
        free(ed.kept);
        ed.kept = xstrdup(rl_line_buffer ? rl_line_buffer : "");
        ed.kept_point = rl_point;
        uninstall();
    }
    mon_print(l->mon, "\n");
}

static void clear(struct line *l)
{
    (void)l;
    if (ed.shown)
        uninstall();
    free(ed.kept);
    ed.kept = NULL;
}

static int tab(int count, int c)
{
    struct buf common = { 0 }, list = { 0 };
    char *text =
        xstrndup(rl_line_buffer ? rl_line_buffer : "", (size_t)rl_point);

    (void)count;
    (void)c;
    complete(ed.line.mon, text, &common, &list);
    if (common.len > 0) {
        rl_insert_text(common.data);
        redraw();
    } else if (list.len > 0) {
        collect();
        mon_print(ed.line.mon, "\n%s", list.data);
        rl_on_new_line();
        rl_forced_update_display();
    }
    buf_free(&common);
    buf_free(&list);
    free(text);
    return 0;
}

static void take_line(void)
{
    char *text = ed.done;

    ed.done = NULL;
    ed.entered = false;
    uninstall();
    if (!text) /* C-d: QEMU's monitor does not know it */
        mon_print(ed.line.mon, "\n");
    else if (*text)
        add_history(text);
    mon_line(ed.line.mon, text ? text : "");
    free(text);
}

static void abandon(struct line *l)
{
    hide(l);
    clear(l);
    show(l);
}

/* A mux hands over single bytes, and libedit gives up on half a sequence:
 * ESC x, ESC O x, and ESC [ up to a letter are one key. */
static bool key_is_whole(void)
{
    char last = ed.key[ed.key_len - 1];

    if (ed.key[0] != ESCAPE || ed.key_len == KEY_LIMIT)
        return true;
    if (ed.key_len < 3)
        return ed.key_len == 2 && last != '[' && last != 'O';
    return ed.key[1] == 'O' || (last >= '@' && last <= '~');
}

static void press(struct line *l)
{
    bool prints = (unsigned char)ed.key[0] >= ' ';

    if (ed.key[0] == CTRL_C) {
        abandon(l);
    } else if (!prints || rl_end < LINE_LIMIT - 1) {
        ed.key_at = 0;
        while (ed.key_at < ed.key_len && !ed.entered)
            rl_callback_read_char();
        collect();
    }
    ed.key_len = 0;
    if (ed.entered)
        take_line();
}

static void input(struct line *l, const char *data, size_t len)
{
    for (size_t i = 0; i < len && ed.shown; i++) {
        ed.key[ed.key_len++] = data[i];
        if (key_is_whole())
            press(l);
    }
}

/* History ----------------------------------------------------------------- */

static char *history_file(void)
{
    const char *name = getenv("EBREAK_HISTORY"), *home = getenv("HOME");

    if (name)
        return *name ? xstrdup(name) : NULL;
    return home ? xasprintf("%s/.ebreak_history", home) : NULL;
}

static void load_history(void)
{
    char *name = history_file();

    using_history();
    stifle_history(FILE_LIMIT);
    if (name)
        read_history(name);
    free(name);
}

static void save_history(void)
{
    char *name = history_file();

    if (name)
        write_history(name);
    clear_history();
    free(name);
}

/* ------------------------------------------------------------------------- */

static void line_free(struct line *l)
{
    (void)l;
    clear(l);
    save_history();
    ed = (struct editor){ 0 };
}

struct line *line_new(struct monitor *mon)
{
    static const struct line_ops ops = { line_free, input, show, hide, clear };

    if (ed.line.mon || !open_streams())
        return NULL;
    ed.line = (struct line){ &ops, mon };
    rl_readline_name = "ebreak";
    rl_catch_signals = 0;
    rl_getc_function = next_byte;
    rl_initialize();
    rl_add_defun("ebreak-complete", tab, '\t');
    set_up();
    load_history();
    return &ed.line;
}
