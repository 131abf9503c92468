/* SPDX-License-Identifier: MIT */
/* chardev_net.c - addresses of sockets: TCP hosts and ports, Unix paths. */
#include "emu/base/chardev_net.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu/base/log.h"
#include "emu/base/opts.h"

/* Parsing ------------------------------------------------------------------ */

static bool parse_family(struct net_address *a, struct opts *o, struct err *err)
{
    bool has4 = opts_has(o, "ipv4"), has6 = opts_has(o, "ipv6"), v4, v6;

    /* One that is on excludes the other unless that is on too. */
    if (!opts_bool(o, "ipv4", false, &v4, err) ||
        !opts_bool(o, "ipv6", false, &v6, err))
        return false;
    if (has4 && has6 && !v4 && !v6)
        return err_set(err, "Cannot disable IPv4 and IPv6 at same time");
    if ((v4 && !v6) || (has6 && !v6))
        a->family = AF_INET;
    else if ((v6 && !v4) || (has4 && !v4))
        a->family = AF_INET6;
    else
        a->family = AF_UNSPEC;
    return true;
}

static bool parse_inet(struct net_address *a, struct opts *o, struct err *err)
{
    const char *host = opts_get(o, "host", "");
    const char *port = opts_get(o, "port", NULL);
    uint64_t last;

    if (port == NULL)
        return err_set(err, "chardev: socket: no port given");
    if (!opts_number(o, "to", 0, &last, err) || !parse_family(a, o, err))
        return false;
    if (last > 65535)
        return err_set(err, "Parameter 'to' expects a port number");
    if (*host == 0)
        host = a->family == AF_INET6 ? "::1" : "127.0.0.1";
    a->host = xstrdup(host);
    a->port = xstrdup(port);
    a->last = (uint16_t)last;
    return true;
}

bool net_parse(struct net_address *a, struct opts *o, struct err *err)
{
    const char *path = opts_get(o, "path", NULL);
    bool tight;

    if (path == NULL && !opts_has(o, "host") && !opts_has(o, "port"))
        return err_set(err, "None of 'path' and 'host' option given");
    if (path != NULL && opts_has(o, "host"))
        return err_set(err, "Only one of 'path' and 'host' options allowed");
    if (path == NULL)
        return parse_inet(a, o, err);
    a->path = xstrdup(path);
    return opts_bool(o, "abstract", false, &a->abstract, err) &&
           opts_bool(o, "tight", true, &tight, err);
}

void net_free(struct net_address *a)
{
    if (a->bound)
        unlink(a->path);
    free(a->path);
    free(a->host);
    free(a->port);
    *a = (struct net_address){ 0 };
}

/* Resolving ---------------------------------------------------------------- */

static bool resolve_unix(const struct net_address *a, struct net_targets *t,
                         struct err *err)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t len = strlen(a->path), room = sizeof un.sun_path - 1;

    if (len > room)
        return err_set(err,
                       "UNIX socket path '%s' is too long: at most %zu bytes",
                       a->path, room);
    memcpy(un.sun_path + a->abstract, a->path, len);
    memcpy(&t->target[0].addr, &un, sizeof un);
    t->target[0].len =
        a->abstract
            ? (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)
            : (socklen_t)sizeof un;
    t->n = 1;
    return true;
}

static bool resolve_port(const struct net_address *a, const char *port,
                         struct net_targets *t, struct err *err)
{
    struct addrinfo hints = { .ai_family = a->family,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    uint64_t number;
    int code;

    /* getaddrinfo would take it modulo 65536. */
    if (parse_u64(port, &number) && number > UINT16_MAX)
        return err_set(err,
                       "address resolution failed for %s:%s: ports end "
                       "at 65535",
                       a->host, port);
    code = getaddrinfo(a->host, port, &hints, &list);
    if (code != 0)
        return err_set(err, "address resolution failed for %s:%s: %s", a->host,
                       port, gai_strerror(code));
    t->n = 0;
    for (struct addrinfo *i = list; i != NULL; i = i->ai_next) {
        if (t->n == sizeof t->target / sizeof *t->target)
            break;
        memcpy(&t->target[t->n].addr, i->ai_addr, i->ai_addrlen);
        t->target[t->n++].len = i->ai_addrlen;
    }
    freeaddrinfo(list);
    return true;
}

bool net_resolve(const struct net_address *a, struct net_targets *t,
                 struct err *err)
{
    return a->path != NULL ? resolve_unix(a, t, err)
                           : resolve_port(a, a->port, t, err);
}

/* Sockets ------------------------------------------------------------------ */

static int open_socket(const struct net_targets *t, size_t i)
{
    return socket(t->target[i].addr.ss_family,
                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const struct sockaddr *target(const struct net_targets *t, size_t i)
{
    return (const struct sockaddr *)&t->target[i].addr;
}

static int close_keeping_errno(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

int net_connect(const struct net_targets *t, size_t i)
{
    int fd = open_socket(t, i);

    if (fd < 0)
        return -1;
    if (connect(fd, target(t, i), t->target[i].len) < 0 && errno != EINPROGRESS)
        return close_keeping_errno(fd);
    return fd;
}

/* A socket file whose program is gone refuses connections. */
static bool is_stale(const struct net_address *a, const struct net_targets *t)
{
    struct stat st;
    int fd;

    if (a->abstract || lstat(a->path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = net_connect(t, 0);
    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == ECONNREFUSED;
}

static int try_listen(const struct net_targets *t, size_t i)
{
    int fd = open_socket(t, i), one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, target(t, i), t->target[i].len) < 0 || listen(fd, 8) < 0)
        return close_keeping_errno(fd);
    return fd;
}

static int listen_unix(struct net_address *a, struct err *err)
{
    struct net_targets t = { .n = 0 };

    if (!resolve_unix(a, &t, err))
        return -1;
    if (is_stale(a, &t))
        unlink(a->path);
    int fd = try_listen(&t, 0);
    if (fd < 0)
        err_set(err, "Failed to bind socket to %s: %s", a->path,
                strerror(errno));
    else
        a->bound = !a->abstract;
    return fd;
}

static int listen_port(const struct net_address *a, const char *port,
                       struct err *err)
{
    struct net_targets t = { .n = 0 };
    int fd = -1;

    if (!resolve_port(a, port, &t, err))
        return -1;
    for (size_t i = 0; fd < 0 && i < t.n; i++)
        fd = try_listen(&t, i);
    if (fd < 0)
        err_set(err, "Failed to find an available port: %s", strerror(errno));
    return fd;
}

static int listen_inet(const struct net_address *a, struct err *err)
{
    uint64_t port;
    int fd = listen_port(a, a->port, err);

    if (fd >= 0 || !parse_u64(a->port, &port))
        return fd;
    while (fd < 0 && ++port <= a->last) {
        char *text = xasprintf("%u", (unsigned)port);

        fd = listen_port(a, text, err);
        free(text);
    }
    return fd;
}

int net_listen(struct net_address *a, struct err *err)
{
    return a->path != NULL ? listen_unix(a, err) : listen_inet(a, err);
}

/* Texts -------------------------------------------------------------------- */

/* "127.0.0.1:1234", "[::1]:1234" */
static char *numeric(const struct sockaddr_storage *addr, socklen_t len)
{
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    bool v6 = addr->ss_family == AF_INET6;

    getnameinfo((const struct sockaddr *)addr, len, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    return xasprintf("%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static char *local_text(int fd)
{
    struct sockaddr_storage addr = { 0 };
    socklen_t len = sizeof addr;

    getsockname(fd, (struct sockaddr *)&addr, &len);
    return numeric(&addr, len);
}

static char *remote_text(int fd)
{
    struct sockaddr_storage addr = { 0 };
    socklen_t len = sizeof addr;

    getpeername(fd, (struct sockaddr *)&addr, &len);
    return numeric(&addr, len);
}

char *net_text(const struct net_address *a)
{
    if (a->path != NULL)
        return xstrdup(a->path);
    if (strchr(a->host, ':') != NULL)
        return xasprintf("[%s]:%s", a->host, a->port);
    return xasprintf("%s:%s", a->host, a->port);
}

char *net_label(const struct net_address *a, bool server, int listener)
{
    const char *kind = a->path != NULL ? "unix" : a->telnet ? "telnet" : "tcp";
    char *text =
        a->path == NULL && listener >= 0 ? local_text(listener) : net_text(a);
    char *label = xasprintf("%s:%s%s", kind, text, server ? ",server=on" : "");

    free(text);
    return label;
}

char *net_connection_name(const char *label, bool server, int fd)
{
    if (strncmp(label, "unix:", 5) == 0)
        return xstrdup(label);
    char *local = local_text(fd), *remote = remote_text(fd);
    char *name = xasprintf("%.*s:%s%s <-> %s", (int)strcspn(label, ":"), label,
                           local, server ? ",server=on" : "", remote);

    free(local);
    free(remote);
    return name;
}
