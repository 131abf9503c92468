/* SPDX-License-Identifier: MIT */
/*
 * rsp.c - a client of the remote protocol that does one thing many times, and
 * a responder that does next to nothing.
 *
 *     rsp PORT ask COUNT [FIRST...] PACKET   round trips of PACKET a second
 *     rsp PORT read m|x ADDR LEN PART seconds to read LEN bytes in PARTs
 *     rsp PORT interrupt COUNT [FIRST... PACKET]
 *                                     milliseconds to stop after Ctrl-C, the
 *                                     longest; PACKET resumes, else vCont;c
 *     rsp PORT respond                serves one client, gdb too
 *
 * For make bench: both ends of a comparison are driven by this. The responder
 * has memory and no more, so gdb's time with it is gdb's own and the line's.
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

static void interrupt(int count, const char *resume)
{
    double worst = 0;

    for (int i = 0; i < count; i++) {
        double start;

        send_packet(resume);
        usleep(20000 + 1000 * (unsigned)(i * 7 % 20));
        start = now();
        send_all("\003", 1);
        if (reply(packet, sizeof packet) < 0 || strncmp(packet, "T02", 3))
            die("interrupt");
        if (now() - start > worst)
            worst = now() - start;
    }
    printf("%.1f\n", worst * 1e3);
}

/* The responder ------------------------------------------------------------- */

static char memory[0x20000], out[4 + 2 * sizeof memory];

static char *hex(char *to, const char *from, unsigned long n)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned long i = 0; i < n; i++) {
        *to++ = digits[(unsigned char)from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    return to;
}

static char *escaped(char *to, const char *from, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        if (from[i] == '#' || from[i] == '$' || from[i] == '}' ||
            from[i] == '*') {
            *to++ = '}';
            *to++ = (char)(from[i] ^ 0x20);
        } else {
            *to++ = from[i];
        }
    }
    return to;
}

/* maddr,len and xaddr,len: no more than fits in a packet, as all stubs. */
static char *read_reply(char *to, const char *text)
{
    const char *comma = strchr(text, ',');
    unsigned long len = comma ? strtoul(comma + 1, NULL, 16) : 0;

    if (len > sizeof memory / 2 - 1)
        len = sizeof memory / 2 - 1;
    if (*text == 'm')
        return hex(to, memory, len);
    *to++ = 'b';
    return escaped(to, memory, len);
}

static char *answer(char *to, const char *text)
{
    static const struct {
        const char *ask, *answer;
    } table[] = {
        { "qSupported", "PacketSize=20000;QStartNoAckMode+;binary-upload+" },
        { "QStartNoAckMode", "OK" },
        { "qC", "QC1" },
        { "?", "S05" },
        { "H", "OK" },
        { "X", "OK" },
        { "M", "OK" },
    };

    if (*text == 'm' || *text == 'x')
        return read_reply(to, text);
    if (!strcmp(text, "g"))
        return memset(to, '0', 33 * 16), to + 33 * 16;
    for (size_t n = 0; n < sizeof table / sizeof table[0]; n++)
        if (!strncmp(text, table[n].ask, strlen(table[n].ask)))
            return stpcpy(to, table[n].answer);
    return to;
}

static void listen_at(int port)
{
    struct sockaddr_in at = loopback(port);
    int on = 1, server = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 1))
        die("listen");
    fd = accept(server, NULL, NULL);
    no_delay();
}

static void respond(int port)
{
    long n;
    int ack = 1;

    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (char)(rand() >> 8);
    listen_at(port);
    while ((n = reply(packet, sizeof packet - 1)) >= 0) {
        unsigned char sum = 0;
        char *end;

        packet[n] = '\0';
        out[0] = '+';
        out[1] = '$';
        end = answer(out + 2, packet);
        for (const char *p = out + 2; p < end; p++)
            sum += (unsigned char)*p;
        *end++ = '#';
        end = hex(end, (const char *)&sum, 1);
        send_all(out + !ack, (size_t)(end - out) - !ack);
        ack = ack && strcmp(packet, "QStartNoAckMode") != 0;
    }
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
    for (int n = 4; strcmp(argv[2], "read") && n < argc - 1; n++)
        ask(argv[n]);
    if (!strcmp(argv[2], "ask"))
        ask_often(atoi(argv[3]), argv[argc - 1]);
    else if (!strcmp(argv[2], "read") && argc == 7)
        read_all(argv[3][0], strtoul(argv[4], NULL, 0),
                 strtoul(argv[5], NULL, 0), strtoul(argv[6], NULL, 0));
    else if (!strcmp(argv[2], "interrupt"))
        interrupt(atoi(argv[3]), argc > 4 ? argv[argc - 1] : "vCont;c");
    else
        return 1;
    return 0;
}
