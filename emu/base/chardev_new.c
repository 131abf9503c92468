/* SPDX-License-Identifier: MIT */
/*
 * chardev_new.c - the set of byte streams, and how one is asked for.
 *
 * -chardev BACKEND,id=ID,... is the one way in: the short forms of -serial and
 * the like are turned into its options. Texts: facts/cli.md section 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/opts.h"

static const struct chardev_ops *const backends[] = {
    &chardev_null,   &chardev_socket, &chardev_vc,   &chardev_ringbuf,
    &chardev_memory, &chardev_file,   &chardev_pipe, &chardev_pty,
    &chardev_stdio,  &chardev_serial,
};

enum { N_BACKENDS = sizeof backends / sizeof backends[0] };

/* The set ------------------------------------------------------------------ */

struct chardevs *chardevs_new(struct loop *l)
{
    struct chardevs *s = xcalloc(1, sizeof *s);

    s->loop = l;
    s->escape = 1; /* C-a */
    s->chores = bh_new(l, "chardevs", chardev_chores, s);
    signal(SIGPIPE, SIG_IGN); /* a reader that went is an error of write() */
    return s;
}

/* A mux goes before what it is on. */
static struct chardev *topmost(struct chardev *c)
{
    while (c->above != NULL)
        c = c->above;
    return c;
}

void chardevs_free(struct chardevs *s)
{
    if (s == NULL)
        return;
    while (s->first != NULL)
        chardev_destroy(topmost(s->first));
    chardev_chores(s);
    bh_free(s->chores);
    free(s);
}

struct loop *chardevs_loop(const struct chardevs *s) { return s->loop; }

void chardevs_cancel(struct chardevs *s)
{
    s->cancelled = true;
    loop_kick(s->loop);
}

void chardevs_mux_open(struct chardevs *s)
{
    s->started = true;
    for (struct chardev *c = s->first; c != NULL; c = c->next)
        chardev_tell_opened(c);
}

void chardevs_on_exit(struct chardevs *s, void (*fn)(void *), void *opaque)
{
    s->on_exit = fn;
    s->exit_opaque = opaque;
}

void chardevs_escape(struct chardevs *s, int code) { s->escape = code; }

struct chardev *chardev_find(struct chardevs *s, const char *id)
{
    for (struct chardev *c = s->first; c != NULL; c = c->next)
        if (strcmp(c->id, id) == 0)
            return c;
    return NULL;
}

struct chardev *chardev_nth(struct chardevs *s, size_t n)
{
    struct chardev *c = s->first;

    while (c != NULL && n-- > 0)
        c = c->next;
    return c;
}

bool chardev_remove(struct chardevs *s, struct chardev *c, struct err *err)
{
    (void)s;
    if (c->nfronts > 0)
        return err_set(err, "Chardev '%s' is busy", c->id);
    chardev_destroy(c);
    return true;
}

/* -chardev ----------------------------------------------------------------- */

static const struct chardev_ops *find_backend(const char *name)
{
    for (size_t i = 0; i < N_BACKENDS; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_identifier(const char *id)
{
    if (!is_letter(*id))
        return false;
    for (; *id != 0; id++)
        if (!is_letter(*id) && strchr("0123456789-._", *id) == NULL)
            return false;
    return true;
}

/* logfile= gets what is written to c. */
static bool open_log(struct chardev *c, struct opts *o, struct err *err)
{
    const char *path = opts_get(o, "logfile", NULL);
    bool append;

    if (!opts_bool(o, "logappend", false, &append, err))
        return false;
    if (path == NULL)
        return true;
    if (access(path, F_OK) != 0)
        c->logpath = xstrdup(path);
    c->logfd = open(
        path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC),
        0666);
    return c->logfd >= 0 ||
           err_set(err, "Unable to open logfile %s: %s", path, strerror(errno));
}

/* A back end takes its options when it opens, and a socket may then wait for
 * its client: so what is left over is found by a second look at the list. */
static struct chardev *open_backend(struct chardevs *s, const char *id,
                                    const struct chardev_ops *ops,
                                    struct opts *o, struct err *err)
{
    struct chardev *c = chardev_make(s, id, ops);

    if (open_log(c, o, err) && ops->open(c, o, err) && opts_done(o, err)) {
        chardev_list(c);
        return c;
    }
    chardev_destroy(c);
    return NULL;
}

static struct chardev *open_mux(struct chardevs *s, const char *id,
                                const struct chardev_ops *ops, struct opts *o,
                                struct err *err)
{
    char *base_id = xasprintf("%s-base", id);
    struct chardev *c = NULL;
    struct chardev *base = open_backend(s, base_id, ops, o, err);

    free(base_id);
    if (base != NULL && (c = chardev_mux_new(s, id, base, err)) == NULL)
        chardev_destroy(base);
    return c;
}

/* o is a whole -chardev, the back end's name under "backend". */
static struct chardev *add(struct chardevs *s, struct opts *o, struct err *err)
{
    const char *id = opts_get(o, "id", NULL);
    const char *name = opts_get(o, "backend", NULL);
    bool mux;

    if (id == NULL) {
        err_set(err, "chardev: no id specified");
        return NULL;
    }
    if (name == NULL) {
        err_set(err, "chardev: \"%s\" missing backend", id);
        return NULL;
    }
    const struct chardev_ops *ops = find_backend(name);
    if (ops == NULL) {
        err_set(err, "'%s' is not a valid char driver name", name);
        return NULL;
    }
    if (chardev_find(s, id) != NULL) {
        err_set(err, "Duplicate ID '%s' for chardev", id);
        return NULL;
    }
    if (!opts_bool(o, "mux", false, &mux, err))
        return NULL;
    return mux ? open_mux(s, id, ops, o, err)
               : open_backend(s, id, ops, o, err);
}

struct chardev *chardev_add(struct chardevs *s, const char *text,
                            struct err *err)
{
    struct opts o = { 0 };
    struct chardev *c = NULL;

    if (opts_parse(&o, text, "backend", err)) {
        const char *id = opts_get(&o, "id", NULL);

        if (id != NULL && !is_identifier(id))
            err_set(err, "Parameter 'id' expects an identifier");
        else
            c = add(s, &o, err);
    }
    opts_free(&o);
    return c;
}

/* Short forms -------------------------------------------------------------- */

/* How the text behind "NAME:" becomes options. */
typedef bool form_fn(struct opts *o, const char *rest, struct err *err);

/* "[[HOST]:]PORT[,opts]", HOST perhaps in brackets. */
static bool form_tcp(struct opts *o, const char *rest, struct err *err)
{
    size_t len = strcspn(rest, ",");
    const char *colon = memrchr(rest, ':', len);
    const char *port = colon != NULL ? colon + 1 : rest;
    const char *host = rest;
    size_t host_len = colon != NULL ? (size_t)(colon - rest) : 0;

    if (host_len >= 2 && *host == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    if (port == rest + len || colon == NULL)
        return err_set(err, "'tcp:%s' lacks a port: tcp:HOST:PORT", rest);
    char *host_text = xstrndup(host, host_len);
    char *port_text = xstrndup(port, (size_t)(rest + len - port));

    opts_set(o, "host", host_text);
    opts_set(o, "port", port_text);
    free(host_text);
    free(port_text);
    return rest[len] == 0 || opts_parse(o, rest + len + 1, NULL, err);
}

static bool form_telnet(struct opts *o, const char *rest, struct err *err)
{
    opts_set(o, "telnet", "on");
    return form_tcp(o, rest, err);
}

static bool form_websocket(struct opts *o, const char *rest, struct err *err)
{
    opts_set(o, "websocket", "on");
    return form_tcp(o, rest, err);
}

/* "PATH[,opts]" */
static bool form_path(struct opts *o, const char *rest, struct err *err)
{
    return opts_parse(o, rest, "path", err);
}

/* "PATH", commas and all */
static bool form_whole_path(struct opts *o, const char *rest, struct err *err)
{
    (void)err;
    opts_set(o, "path", rest);
    return true;
}

/* "800x600", "80Cx24C" */
static bool form_vc(struct opts *o, const char *rest, struct err *err)
{
    (void)o, (void)rest, (void)err; /* nobody sees the window's size */
    return true;
}

static const struct {
    const char *prefix, *backend;
    form_fn *form;
} forms[] = {
    { "tcp:", "socket", form_tcp },
    { "telnet:", "socket", form_telnet },
    { "websocket:", "socket", form_websocket },
    { "unix:", "socket", form_path },
    { "file:", "file", form_whole_path },
    { "pipe:", "pipe", form_whole_path },
    { "pty:", "pty", form_whole_path },
    { "vc:", "vc", form_vc },
};

/* The back ends whose name alone, or with options behind a comma, will do. */
static const char *const bare[] = { "null", "stdio", "pty", "vc", "ringbuf" };

static bool is_bare(const char *text)
{
    size_t len = strcspn(text, ",");

    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
        if (strlen(bare[i]) == len && memcmp(bare[i], text, len) == 0)
            return true;
    return false;
}

static bool parse_short(struct opts *o, const char *text, struct err *err)
{
    if (is_bare(text))
        return opts_parse(o, text, "backend", err);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t len = strlen(forms[i].prefix);

        if (strncmp(text, forms[i].prefix, len) == 0) {
            opts_set(o, "backend", forms[i].backend);
            return forms[i].form(o, text + len, err);
        }
    }
    if (strncmp(text, "/dev/", 5) == 0) {
        opts_set(o, "backend", "serial");
        return form_whole_path(o, text, err);
    }
    return err_set(err, "'%s' is not a valid char driver", text);
}

/* With a monitor behind it, C-c is the guest's; C-a x is the way out. */
static void set_mux(struct opts *o)
{
    opts_set(o, "mux", "on");
    if (strcmp(opts_get(o, "backend", ""), "stdio") == 0 &&
        !opts_has(o, "signal"))
        opts_set(o, "signal", "off");
}

static struct chardev *add_short(struct chardevs *s, const char *label,
                                 const char *text, bool mux, struct err *err)
{
    struct opts o = { 0 };
    struct chardev *c = NULL;

    if (parse_short(&o, text, err)) {
        opts_set(&o, "id", label);
        if (mux)
            set_mux(&o);
        c = add(s, &o, err);
    }
    opts_free(&o);
    return c;
}

static struct chardev *find_named(struct chardevs *s, const char *id, bool mon,
                                  struct err *err)
{
    struct chardev *c = chardev_find(s, id);

    if (c == NULL) {
        err_set(err, "Chardev '%s' not found", id);
    } else if (mon && !c->ops->shared) {
        err_set(err, "Chardev '%s' is not a mux", id);
        c = NULL;
    }
    return c;
}

struct chardev *chardev_short(struct chardevs *s, const char *label,
                              const char *text, bool *mon, struct err *err)
{
    bool with_monitor = strncmp(text, "mon:", 4) == 0;

    if (err != NULL)
        err->text[0] = 0;
    if (mon != NULL)
        *mon = with_monitor;
    if (strcmp(text, "none") == 0)
        return NULL;
    if (with_monitor)
        text += 4;
    if (strncmp(text, "chardev:", 8) == 0)
        return find_named(s, text + 8, with_monitor, err);
    return add_short(s, label, text, with_monitor, err);
}

void chardev_help(struct buf *out)
{
    buf_str(out, "Available chardev backend types:\n");
    for (size_t i = 0; i < N_BACKENDS; i++)
        buf_printf(out, "  %s\n", backends[i]->name);
}
