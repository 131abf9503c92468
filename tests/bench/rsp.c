/* SPDX-License-Identifier: MIT */
/*
 * rsp.c - a client of the remote protocol that does one thing many times, and
 * a responder that does nothing.
 *
 *     rsp PORT ask COUNT [FIRST...] PACKET   round trips of PACKET a second
 *     rsp PORT read m|x ADDR LEN PART seconds to read LEN bytes in PARTs
 *     rsp PORT interrupt COUNT        milliseconds to stop, the longest
 *     rsp PORT respond                answers OK to every packet, once
 *
 * For make bench: both ends of a comparison are driven by this.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int fd;
static char in[1 << 20];
static size_t have, done; /* bytes in `in`, and those that are used up */

static void die(const char *why)
{
    perror(why);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void no_delay(void)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int fill(void)
{
    ssize_t n;

    if (done < have)
        return 1;
    n = read(fd, in, sizeof in);
    if (n <= 0)
        return 0;
    have = (size_t)n;
    done = 0;
    return 1;
}

static int next_byte(void) { return fill() ? (unsigned char)in[done++] : -1; }

static void send_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n <= 0)
            die("write");
        data += n;
        len -= (size_t)n;
    }
}

static void send_packet(const char *text)
{
    char out[4096];
    unsigned char sum = 0;
    int n;

    for (const char *p = text; *p; p++)
        sum += (unsigned char)*p;
    n = snprintf(out, sizeof out, "$%s#%02x", text, sum);
    send_all(out, (size_t)n);
}

/* The bytes between $ and #, as they come; -1 at the end of the stream. */
static long reply(char *text, size_t size)
{
    size_t n = 0;
    int c;

    while ((c = next_byte()) != '$')
        if (c < 0)
            return -1;
    for (const char *end = NULL; !end;) {
        size_t span;

        if (!fill())
            return -1;
        end = memchr(in + done, '#', have - done);
        span = end ? (size_t)(end - in) - done : have - done;
        if (n + span <= size)
            memcpy(text + n, in + done, span);
        n += span;
        done += span;
    }
    next_byte();
    next_byte();
    next_byte();
    return (long)n;
}

static char packet[4 << 20];

static void ask(const char *text)
{
    send_packet(text);
    if (reply(packet, sizeof packet) < 0)
        die("reply");
}

static void connect_to(int port)
{
    struct sockaddr_in to = loopback(port);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to))
        die("connect");
    no_delay();
    ask("qSupported:vContSupported+");
    if (strstr(packet, "QStartNoAckMode+"))
        ask("QStartNoAckMode");
}

static void ask_often(int count, const char *text)
{
    double start = now();

    for (int i = 0; i < count; i++)
        ask(text);
    printf("%g\n", count / (now() - start));
}

static void read_all(char how, unsigned long addr, unsigned long len,
                     unsigned long part)
{
    double start = now();

    for (unsigned long at = 0; at < len; at += part) {
        char text[64];

        snprintf(text, sizeof text, "%c%lx,%lx", how, addr + at, part);
        ask(text);
        if (packet[0] == 'E') {
            fprintf(stderr, "%c fails at %lx\n", how, addr + at);
            exit(1);
        }
    }
    printf("%.3f\n", now() - start);
}

static void interrupt(int count)
{
    double worst = 0;

    for (int i = 0; i < count; i++) {
        double start;

        send_packet("vCont;c");
        usleep(20000 + 1000 * (unsigned)(i * 7 % 20));
        start = now();
        send_all("\003", 1);
        if (reply(packet, sizeof packet) < 0)
            die("interrupt");
        if (now() - start > worst)
            worst = now() - start;
    }
    printf("%.1f\n", worst * 1e3);
}

static void respond(int port)
{
    struct sockaddr_in at = loopback(port);
    int on = 1, server = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 1))
        die("listen");
    fd = accept(server, NULL, NULL);
    no_delay();
    while (reply(packet, sizeof packet) >= 0)
        send_all("$QStartNoAckMode+#2e", 20);
}

int main(int argc, char **argv)
{
    int port = argc > 2 ? atoi(argv[1]) : 0;

    if (argc == 3 && !strcmp(argv[2], "respond")) {
        respond(port);
        return 0;
    }
    if (argc < 4) {
        fprintf(stderr, "rsp PORT ask|read|interrupt|respond ...\n");
        return 1;
    }
    connect_to(port);
    for (int n = 4; !strcmp(argv[2], "ask") && n < argc - 1; n++)
        ask(argv[n]);
    if (!strcmp(argv[2], "ask"))
        ask_often(atoi(argv[3]), argv[argc - 1]);
    else if (!strcmp(argv[2], "read") && argc == 7)
        read_all(argv[3][0], strtoul(argv[4], NULL, 0),
                 strtoul(argv[5], NULL, 0), strtoul(argv[6], NULL, 0));
    else if (!strcmp(argv[2], "interrupt"))
        interrupt(atoi(argv[3]));
    else
        return 1;
    return 0;
}
