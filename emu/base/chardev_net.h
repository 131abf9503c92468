/* SPDX-License-Identifier: MIT */
/*
 * chardev_net.h - addresses of sockets: TCP hosts and ports, Unix paths.
 *
 * Private to the chardevs and to the migration of machines.
 */
#ifndef EMU_BASE_CHARDEV_NET_H
#define EMU_BASE_CHARDEV_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct err;
struct opts;

struct net_address {
    char *path; /* of a Unix socket, else NULL */
    char *host, *port;
    int family;    /* AF_INET, AF_INET6, or AF_UNSPEC: either */
    uint16_t last; /* to=: a server takes the first free port up to it */
    bool abstract; /* the path is a name outside the file system */
    bool telnet;   /* only for the name */
    bool bound;    /* the path is a file that we made */
};

/* Takes path, host, port, to, ipv4, ipv6 and abstract out of o. A host that
 * is not given is 127.0.0.1: a debugging port must not be the network's. */
bool net_parse(struct net_address *a, struct opts *o, struct err *err);
void net_free(struct net_address *a); /* removes the file that was bound */

/* What an address stands for; several when a name has several. */
struct net_targets {
    struct {
        struct sockaddr_storage addr;
        socklen_t len;
    } target[8];
    size_t n;
};

bool net_resolve(const struct net_address *a, struct net_targets *t,
                 struct err *err);

/* A non-blocking listening socket, or -1. */
int net_listen(struct net_address *a, struct err *err);

/* A non-blocking socket connected or connecting to t's i-th target, or -1
 * and errno. */
int net_connect(const struct net_targets *t, size_t i);

/* "unix:PATH" or "tcp:HOST:PORT" and ",server=on"; to be freed. With a
 * listener, the port that it really has. */
char *net_label(const struct net_address *a, bool server, int listener);

/* "tcp:LOCAL,server=on <-> REMOTE" of a connection; to be freed. */
char *net_connection_name(const char *label, bool server, int fd);

/* "HOST:PORT" or the path, for messages; to be freed. */
char *net_text(const struct net_address *a);

#endif
