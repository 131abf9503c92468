/* SPDX-License-Identifier: MIT */
/* chardev_test.c - byte streams to the world outside. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#define MS INT64_C(1000000)

static struct loop *l;
static struct chardevs *set;
static struct err err;
static char dir[] = "/tmp/ebreak-chardev-XXXXXX";

static void begin(void)
{
    l = loop_new();
    set = chardevs_new(l);
    chardevs_mux_open(set);
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
}

/* Whatever a test leaves in its folder is a file left behind. */
static void end(void)
{
    chardevs_free(set);
    loop_free(l);
    cr_assert_eq(rmdir(dir), 0, "a file was left behind");
}

TestSuite(chardev, .init = begin, .fini = end, .timeout = 20);

/* A front end that writes down what happens to it. */
struct front {
    struct chardev *c;
    size_t room; /* what it still takes */
    struct buf seen;
};

static size_t can(void *opaque) { return ((struct front *)opaque)->room; }

static void take(void *opaque, const void *data, size_t len)
{
    struct front *f = opaque;

    cr_assert_leq(len, f->room, "more was given than it takes");
    buf_add(&f->seen, data, len);
    f->room -= len;
}

static void happen(void *opaque, enum chardev_event e)
{
    static const char *const names[] = { "<open>", "<close>", "<break>", "<in>",
                                         "<out>" };

    buf_str(&((struct front *)opaque)->seen, names[e]);
}

static const struct chardev_front front_fns = { can, take, happen };

static void join(struct front *f, struct chardev *c)
{
    cr_assert_not_null(c, "%s", err.text);
    *f = (struct front){ .c = c, .room = SIZE_MAX };
    cr_assert(chardev_join(c, &front_fns, f, &err), "%s", err.text);
}

static void leave(struct front *f)
{
    chardev_leave(f->c, f);
    buf_free(&f->seen);
}

/* Turns the loop until f has seen text, and forgets it. */
static void expect(struct front *f, const char *text)
{
    for (int i = 0; i < 400 && f->seen.len < strlen(text); i++)
        loop_turn(l, 5 * MS);
    cr_assert_str_eq(buf_text(&f->seen), text);
    buf_clear(&f->seen);
}

static void expect_nothing(struct front *f)
{
    for (int i = 0; i < 5; i++)
        loop_turn(l, MS);
    cr_assert_str_eq(buf_text(&f->seen), "");
}

static struct chardev *add(const char *text)
{
    return chardev_add(set, text, &err);
}

static void put(struct chardev *c, const char *text)
{
    cr_assert_eq(chardev_write(c, text, strlen(text)), strlen(text));
}

/* Reads from fd until text has come. */
static void expect_fd(int fd, const char *text)
{
    char got[4096] = "";
    size_t len = 0;

    for (int i = 0; i < 400 && len < strlen(text); i++) {
        struct pollfd p = { fd, POLLIN, 0 };

        loop_turn(l, 0);
        if (poll(&p, 1, 5) > 0) {
            ssize_t n = read(fd, got + len, sizeof got - 1 - len);

            len += n > 0 ? (size_t)n : 0;
        }
    }
    cr_assert_str_eq(got, text);
}

/* Asking for one ----------------------------------------------------------- */

static void refused(const char *text, const char *why)
{
    err.text[0] = 0;
    cr_assert_null(add(text), "%s", text);
    cr_assert_str_eq(err.text, why);
}

Test(chardev, wrong_requests_are_refused_in_qemus_words)
{
    refused("nosuch,id=a", "'nosuch' is not a valid char driver");
    refused("null", "chardev: no id specified");
    refused("id=a", "chardev: \"a\" missing backend");
    refused("null,id=1a", "Parameter 'id' expects an identifier");
    refused("null,id=a,typo=1", "Invalid parameter 'typo'");
    refused("null,id=a,mux=2", "Parameter 'mux' expects 'on' or 'off'");
    refused("file,id=a", "chardev: file: no filename given");
    refused("file,id=a,path=/nosuch/x",
            "Could not open '/nosuch/x': No such file or directory");
    refused("pipe,id=a,path=nosuch",
            "Could not open 'nosuch': No such file or directory");
    refused("ringbuf,id=a,size=100",
            "size of ringbuf chardev must be power of two");
    refused("socket,id=a", "None of 'path' and 'host' option given");
    refused("socket,id=a,host=x", "chardev: socket: no port given");
    refused("socket,id=a,port=1,wait=on", "'wait' option is incompatible with "
                                          "socket in client connect mode");
    refused("socket,id=a,port=0,server=on,reconnect=1",
            "'reconnect' option is incompatible with socket in server "
            "listen mode");
    cr_assert_null(chardev_nth(set, 0));
}

Test(chardev, id_is_taken_once)
{
    cr_assert_not_null(add("null,id=a"));
    refused("null,id=a", "Duplicate ID 'a' for chardev");
}

Test(chardev, refused_request_leaves_no_file)
{
    chardevs_free(set);
    set = chardevs_new(l); /* still starting up */
    refused("file,id=a,path=made,typo=1", "Invalid parameter 'typo'");
    refused("null,id=a,logfile=made,typo=1", "Invalid parameter 'typo'");
    refused("socket,id=a,path=made,server=on,typo=1",
            "Invalid parameter 'typo'");
    refused("pty,id=a,path=made,typo=1", "Invalid parameter 'typo'");
    cr_assert_not_null(add("file,id=a,path=made"));
}

static struct chardev *brief(const char *text)
{
    bool mon;

    return chardev_short(set, "serial0", text, &mon, &err);
}

Test(chardev, none_is_no_chardev_and_no_error)
{
    strcpy(err.text, "old");
    cr_assert_null(brief("none"));
    cr_assert_str_eq(err.text, "");
    cr_assert_null(brief("nosuch"));
    cr_assert_str_eq(err.text, "'nosuch' is not a valid char driver");
    cr_assert_null(brief("chardev:nosuch"));
    cr_assert_str_eq(err.text, "Chardev 'nosuch' not found");
}

Test(chardev, short_form_may_name_another)
{
    struct chardev *c = add("null,id=con");

    cr_assert_eq(brief("chardev:con"), c);
    cr_assert_null(brief("mon:chardev:con"));
    cr_assert_str_eq(err.text, "Chardev 'con' is not a mux");
}

Test(chardev, short_forms_have_their_label_and_file_name)
{
    static const struct {
        const char *text, *filename;
    } forms[] = {
        { "null", "null" },
        { "vc", "vc" },
        { "vc:80Cx24C", "vc" },
        { "file:out,with,commas", "file" },
        { "unix:sock,server,nowait", "disconnected:unix:sock,server=on" },
        { "unix:sock,server=on,wait=off", "disconnected:unix:sock,server=on" },
        { "ringbuf,size=16", "ringbuf" },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct chardev *c = brief(forms[i].text);

        cr_assert_not_null(c, "%s: %s", forms[i].text, err.text);
        cr_assert_str_eq(chardev_id(c), "serial0");
        cr_assert_str_eq(chardev_filename(c), forms[i].filename);
        cr_assert(chardev_remove(set, c, &err));
        loop_turn(l, 0);
    }
    unlink("out,with,commas");
}

Test(chardev, help_lists_the_back_ends)
{
    struct buf b = { 0 };

    chardev_help(&b);
    cr_assert(strstr(buf_text(&b), "Available chardev backend types:\n"));
    cr_assert(strstr(buf_text(&b), "\n  socket\n"));
    buf_free(&b);
}

/* Front ends --------------------------------------------------------------- */

Test(chardev, second_front_end_is_refused)
{
    struct front a, b = { 0 };
    struct chardev *c = add("null,id=n");

    join(&a, c);
    cr_assert_not(chardev_join(c, &front_fns, &b, &err));
    cr_assert_str_eq(err.text, "Device 'n' is in use");
    cr_assert_not(chardev_remove(set, c, &err));
    cr_assert_str_eq(err.text, "Chardev 'n' is busy");
    leave(&a);
    join(&b, c);
    leave(&b);
}

Test(chardev, opened_is_held_back_until_start_up_is_over)
{
    struct front a;

    chardevs_free(set);
    set = chardevs_new(l);
    join(&a, add("null,id=n"));
    expect_nothing(&a);
    chardevs_mux_open(set);
    expect(&a, "<open>");
    chardevs_mux_open(set);
    expect_nothing(&a);
    leave(&a);
    join(&a, chardev_find(set, "n"));
    expect(&a, "<open>");
    leave(&a);
}

/* Memory and files --------------------------------------------------------- */

Test(chardev, ringbuf_keeps_the_last_bytes)
{
    struct chardev *c = add("ringbuf,id=r,size=4");
    char data[8] = "";

    put(c, "abc");
    put(c, "def");
    cr_assert(chardev_is_ring(c));
    cr_assert_eq(chardev_ring_read(c, data, 3), 3);
    cr_assert_str_eq(data, "cde");
    cr_assert_eq(chardev_ring_read(c, data, 8), 1);
    cr_assert_eq(chardev_ring_read(c, data, 8), 0);
}

static void expect_file(const char *path, const char *text)
{
    char got[256] = "";
    int fd = open(path, O_RDONLY);

    cr_assert_geq(fd, 0);
    cr_assert_geq(read(fd, got, sizeof got - 1), 0);
    close(fd);
    cr_assert_str_eq(got, text);
}

Test(chardev, file_is_cut_or_appended_to)
{
    struct chardev *c = add("file,id=a,path=f");

    put(c, "one");
    chardev_remove(set, c, NULL);
    c = add("file,id=a,path=f");
    put(c, "two");
    chardev_remove(set, c, NULL);
    c = add("file,id=a,path=f,append=on");
    put(c, "three");
    chardev_remove(set, c, NULL);
    expect_file("f", "twothree");
    unlink("f");
}

Test(chardev, file_has_an_input_of_its_own)
{
    struct front a;
    int fd = open("in", O_WRONLY | O_CREAT, 0600);

    cr_assert_eq(write(fd, "typed", 5), 5);
    close(fd);
    join(&a, add("file,id=a,path=out,input-path=in"));
    expect(&a, "<open>typed<close>");
    put(a.c, "still written");
    expect_file("out", "still written");
    leave(&a);
    unlink("in");
    unlink("out");
}

Test(chardev, logfile_gets_what_is_written)
{
    struct chardev *c = add("null,id=a,logfile=log");

    put(c, "one");
    chardev_remove(set, c, NULL);
    c = add("null,id=a,logfile=log,logappend=on");
    put(c, "two");
    chardev_remove(set, c, NULL);
    expect_file("log", "onetwo");
    unlink("log");
}

Test(chardev, pipe_is_a_pair_of_fifos)
{
    struct front a;

    cr_assert_eq(mkfifo("p.in", 0600), 0);
    cr_assert_eq(mkfifo("p.out", 0600), 0);
    join(&a, brief("pipe:p"));
    int in = open("p.in", O_RDWR), out = open("p.out", O_RDWR);

    cr_assert_eq(write(in, "to", 2), 2);
    expect(&a, "<open>to");
    put(a.c, "from");
    expect_fd(out, "from");
    leave(&a);
    close(in);
    close(out);
    unlink("p.in");
    unlink("p.out");
}

/* Sockets ------------------------------------------------------------------ */

static int dial(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(un.sun_path, path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static struct chardev *server(void)
{
    return add("socket,id=s,path=sock,server=on,wait=off");
}

static void say(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), strlen(text));
}

Test(chardev, bytes_pass_a_unix_socket_both_ways)
{
    struct front a;

    join(&a, server());
    cr_assert_not(chardev_is_open(a.c));
    cr_assert_eq(chardev_write(a.c, "x", 1), 0, "nobody is there");
    int fd = dial("sock");
    expect(&a, "<open>");
    cr_assert(chardev_is_open(a.c));
    cr_assert_str_eq(chardev_filename(a.c), "unix:sock,server=on");
    say(fd, "question");
    expect(&a, "question");
    put(a.c, "answer");
    expect_fd(fd, "answer");
    close(fd);
    expect(&a, "<close>");
    cr_assert_str_eq(chardev_filename(a.c), "disconnected:unix:sock,server=on");
    leave(&a);
}

Test(chardev, server_takes_the_next_client)
{
    struct front a;

    join(&a, server());
    int first = dial("sock"), second = dial("sock");

    expect(&a, "<open>");
    say(second, "wait");
    expect_nothing(&a);
    close(first);
    expect(&a, "<close><open>wait");
    close(second);
    expect(&a, "<close>");
    leave(&a);
}

Test(chardev, client_that_went_unread_makes_room_for_the_next)
{
    struct front a;

    join(&a, server());
    int first = dial("sock");

    expect(&a, "<open>");
    a.room = 0;
    say(first, "never taken");
    close(first);
    int second = dial("sock");

    expect(&a, "<close><open>");
    put(a.c, "you");
    expect_fd(second, "you");
    close(second);
    leave(&a);
}

Test(chardev, reads_only_what_the_front_end_takes)
{
    struct front a;

    join(&a, server());
    int fd = dial("sock");

    expect(&a, "<open>");
    a.room = 3;
    say(fd, "abcdef");
    expect(&a, "abc");
    expect_nothing(&a);
    a.room = 2;
    chardev_accept(a.c);
    expect(&a, "de");
    expect_nothing(&a);
    close(fd);
    leave(&a);
}

Test(chardev, peer_that_never_reads_costs_bounded_memory_and_no_time)
{
    static char block[65536];
    struct front a;
    size_t taken = 0, offered = 0;

    join(&a, server());
    int fd = dial("sock");

    expect(&a, "<open>");
    for (int i = 0; i < 100; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        taken += chardev_write(a.c, block, sizeof block);
        offered += sizeof block;
        loop_turn(l, 0);
    }
    cr_assert_lt(taken, offered);
    cr_assert_eq(chardev_queued(a.c), CHARDEV_QUEUE);
    /* What was taken comes, in order, when it reads after all. */
    for (size_t got = 0; got < taken;) {
        ssize_t n = recv(fd, block, sizeof block, MSG_DONTWAIT);

        for (ssize_t i = 0; i < n; i++)
            cr_assert_eq(block[i],
                         'a' + (char)((got + (size_t)i) / sizeof block % 26));
        got += n > 0 ? (size_t)n : 0;
        loop_turn(l, 0);
    }
    cr_assert_eq(chardev_queued(a.c), 0);
    put(a.c, "now");
    expect_fd(fd, "now");
    close(fd);
    leave(&a);
}

Test(chardev, writing_to_one_who_left_is_no_crash)
{
    struct front a;

    join(&a, server());
    close(dial("sock"));
    expect(&a, "<open>");
    for (int i = 0; i < 10; i++)
        chardev_write(a.c, "x", 1);
    expect(&a, "<close>");
    leave(&a);
}

/* A peer that reads, but slowly. */
static void *read_all(void *fd)
{
    static char data[4096];
    static size_t got;
    ssize_t n;

    while ((n = read(*(int *)fd, data, sizeof data)) > 0) {
        got += (size_t)n;
        usleep(100);
    }
    return &got;
}

Test(chardev, last_words_are_written_before_the_end)
{
    static char block[400000];
    struct front a;
    pthread_t reader;
    void *got;

    join(&a, server());
    int fd = dial("sock");

    expect(&a, "<open>");
    cr_assert_eq(chardev_write(a.c, block, sizeof block), sizeof block);
    cr_assert_gt(chardev_queued(a.c), 0);
    leave(&a);
    pthread_create(&reader, NULL, read_all, &fd);
    chardevs_free(set);
    set = chardevs_new(l);
    pthread_join(reader, &got);
    cr_assert_eq(*(size_t *)got, sizeof block);
    close(fd);
}

Test(chardev, socket_file_of_a_dead_program_is_replaced)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
    cr_assert_not_null(server(), "%s", err.text);
    close(dial("sock"));
}

Test(chardev, socket_file_of_a_living_program_is_left_alone)
{
    cr_assert_not_null(server());
    refused("socket,id=t,path=sock,server=on,wait=off",
            "Failed to bind socket to sock: Address already in use");
    close(dial("sock"));
}

Test(chardev, file_that_is_no_socket_is_left_alone)
{
    close(open("sock", O_CREAT, 0600));
    refused("socket,id=t,path=sock,server=on,wait=off",
            "Failed to bind socket to sock: Address already in use");
    cr_assert_eq(unlink("sock"), 0);
}

Test(chardev, hangup_drops_the_client_when_the_loop_turns)
{
    struct front a;

    join(&a, server());
    int fd = dial("sock");

    expect(&a, "<open>");
    chardev_hangup(a.c);
    cr_assert_str_eq(buf_text(&a.seen), "");
    expect(&a, "<close>");
    char c;
    cr_assert_eq(read(fd, &c, 1), 0);
    close(fd);
    leave(&a);
}

/* The port of "disconnected:tcp:127.0.0.1:PORT,server=on". */
static int port_of(const struct chardev *c)
{
    int port = 0;

    sscanf(chardev_filename(c), "disconnected:tcp:127.0.0.1:%d,server=on",
           &port);
    return port;
}

static int dial_port(int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

Test(chardev, tcp_server_without_a_host_is_on_loopback)
{
    struct front a;

    join(&a, brief("tcp::0,server=on,wait=off,nodelay"));
    int port = port_of(a.c);

    cr_assert_gt(port, 0, "%s", chardev_filename(a.c));
    int fd = dial_port(port);

    say(fd, "hi");
    expect(&a, "<open>hi");
    char *name = xasprintf("tcp:127.0.0.1:%d,server=on <-> 127.0.0.1:", port);
    cr_assert_eq(strncmp(chardev_filename(a.c), name, strlen(name)), 0, "%s",
                 chardev_filename(a.c));
    free(name);
    close(fd);
    leave(&a);
}

Test(chardev, client_reaches_a_server)
{
    struct front a, b;
    char text[64];

    join(&a, brief("tcp:127.0.0.1:0,server=on,wait=off"));
    snprintf(text, sizeof text, "socket,id=c,host=127.0.0.1,port=%d",
             port_of(a.c));
    join(&b, add(text));
    expect(&a, "<open>");
    expect(&b, "<open>");
    put(b.c, "ping");
    expect(&a, "ping");
    put(a.c, "pong");
    expect(&b, "pong");
    leave(&a);
    leave(&b);
}

Test(chardev, client_without_a_server_fails)
{
    refused("socket,id=a,path=nosuch",
            "Failed to connect to 'nosuch': No such file or directory");
    refused("socket,id=a,host=127.0.0.1,port=1",
            "Failed to connect to '127.0.0.1:1': Connection refused");
}

Test(chardev, client_reconnects)
{
    struct front a, b;

    join(&b, add("socket,id=c,path=sock,reconnect-ms=10"));
    expect_nothing(&b);
    cr_assert_str_eq(chardev_filename(b.c), "disconnected:unix:sock");
    join(&a, server());
    expect(&b, "<open>");
    expect(&a, "<open>");
    chardev_hangup(a.c);
    expect(&b, "<close><open>");
    expect(&a, "<close><open>");
    put(b.c, "back");
    expect(&a, "back");
    leave(&a);
    leave(&b);
}

static void dial_later(void *fd) { *(int *)fd = dial("sock"); }

Test(chardev, waiting_server_turns_the_loop_until_a_client_comes)
{
    struct front a;
    int fd = -1;
    struct timer *t = timer_new(l, LOOP_REALTIME, "dial", dial_later, &fd);

    timer_set(t, loop_now(l, LOOP_REALTIME) + 20 * MS);
    join(&a, brief("unix:sock,server=on"));
    cr_assert_geq(fd, 0);
    expect(&a, "<open>");
    close(fd);
    leave(&a);
}

static void cancel(void *opaque) { chardevs_cancel(opaque); }

Test(chardev, wait_for_a_client_can_be_given_up)
{
    struct timer *t = timer_new(l, LOOP_REALTIME, "cancel", cancel, set);

    timer_set(t, loop_now(l, LOOP_REALTIME) + 20 * MS);
    cr_assert_null(brief("unix:sock,server=on"));
    cr_assert_str_eq(err.text, "gave up waiting for a connection");
}

/* Several clients ---------------------------------------------------------- */

static struct front guests[4];
static int nguests;

static void welcome(void *opaque, struct chardev *client)
{
    (void)opaque;
    join(&guests[nguests++], client);
}

Test(chardev, each_client_gets_a_chardev_of_its_own)
{
    struct chardev *c = server();

    cr_assert(chardev_on_accept(c, welcome, NULL));
    int first = dial("sock"), second = dial("sock");

    for (int i = 0; i < 100 && nguests < 2; i++)
        loop_turn(l, MS);
    cr_assert_eq(nguests, 2);
    expect(&guests[0], "<open>");
    expect(&guests[1], "<open>");
    cr_assert_str_eq(chardev_id(guests[1].c), "s.2");
    say(second, "2");
    expect(&guests[1], "2");
    expect_nothing(&guests[0]);
    put(guests[0].c, "one");
    expect_fd(first, "one");
    close(first);
    expect(&guests[0], "<close>");
    loop_turn(l, 0);
    cr_assert_null(chardev_find(set, "s.1"), "it goes by itself");
    leave(&guests[1]);
    cr_assert(chardev_remove(set, chardev_find(set, "s.2"), &err));
    loop_turn(l, 0);
    expect_fd(second, "");
    close(second);
    buf_free(&guests[0].seen);
}

Test(chardev, client_of_start_up_is_the_first_of_several)
{
    struct chardev *c = server();
    int fd = dial("sock");

    for (int i = 0; i < 100 && !chardev_is_open(c); i++)
        loop_turn(l, MS);
    cr_assert(chardev_on_accept(c, welcome, NULL));
    cr_assert_eq(nguests, 1);
    say(fd, "here");
    expect(&guests[0], "<open>here");
    close(fd);
    expect(&guests[0], "<close>");
    buf_free(&guests[0].seen);
}

Test(chardev, only_listening_sockets_have_several_clients)
{
    cr_assert_not(chardev_on_accept(add("null,id=n"), welcome, NULL));
}

/* The mux ------------------------------------------------------------------ */

/* A mux on a socket, with a monitor and a console, the console in front. */
static struct front monitor, console;
static int keyboard;

static void mux_begin(void)
{
    struct chardev *c = add("socket,id=m,path=sock,server=on,wait=off,mux=on");

    join(&monitor, c);
    join(&console, c);
    keyboard = dial("sock");
    expect(&monitor, "<in><out><open>");
    expect(&console, "<in><open>");
}

static void mux_end(void)
{
    leave(&monitor);
    leave(&console);
    close(keyboard);
}

Test(chardev, mux_stands_on_a_base)
{
    mux_begin();
    cr_assert_str_eq(chardev_id(console.c), "m");
    cr_assert_str_eq(chardev_filename(console.c), "mux");
    cr_assert_str_eq(chardev_filename(chardev_find(set, "m-base")),
                     "unix:sock,server=on");
    cr_assert(chardev_is_open(console.c));
    mux_end();
}

Test(chardev, mux_key_c_moves_the_keyboard)
{
    mux_begin();
    say(keyboard, "ls\n\1cinfo\n\1cps");
    expect(&console, "ls\n<out><in>ps");
    expect(&monitor, "<in>info\n<out>");
    mux_end();
}

Test(chardev, mux_key_twice_sends_it_once)
{
    mux_begin();
    say(keyboard, "a\1\1b\1zc");
    expect(&console, "a\1bc");
    mux_end();
}

Test(chardev, mux_key_may_be_another)
{
    chardevs_escape(set, 0x14);
    mux_begin();
    say(keyboard, "\1c\x14"
                  "b\x14\x14");
    expect(&console, "\1c<break>\x14");
    mux_end();
}

Test(chardev, mux_key_b_is_a_break_for_the_console)
{
    mux_begin();
    say(keyboard, "\1b");
    expect(&console, "<break>");
    expect_nothing(&monitor);
    mux_end();
}

Test(chardev, mux_key_h_prints_qemus_help)
{
    mux_begin();
    say(keyboard, "\1h");
    expect_fd(keyboard, "\n\r"
                        "C-a h    print this help\n\r"
                        "C-a x    exit emulator\n\r"
                        "C-a s    save disk data back to file (if -snapshot)"
                        "\n\r"
                        "C-a t    toggle console timestamps\n\r"
                        "C-a b    send break (magic sysrq)\n\r"
                        "C-a c    switch between console and monitor\n\r"
                        "C-a C-a  sends C-a\n\r");
    mux_end();
}

Test(chardev, mux_key_s_says_that_there_is_nothing_to_save)
{
    mux_begin();
    say(keyboard, "\1s");
    expect_fd(keyboard, "\n\rThere are no disks: nothing to save\n\r");
    mux_end();
}

Test(chardev, mux_key_t_puts_the_time_before_each_line)
{
    char got[256] = "";

    mux_begin();
    say(keyboard, "\1t.");
    expect(&console, ".");
    put(console.c, "rest\nline\n");
    put(console.c, "par");
    put(console.c, "tial");
    loop_turn(l, 0);
    cr_assert_gt(read(keyboard, got, sizeof got - 1), 0);
    int h, m, s, ms, end = 0;
    sscanf(got, "rest\n[%2d:%2d:%2d.%3d] line\n[%*2d:%*2d:%*2d.%*3d] partial%n",
           &h, &m, &s, &ms, &end);
    cr_assert_gt(end, 0, "%s", got);
    cr_assert_eq(h + m, 0);
    mux_end();
}

static void on_exit_key(void *done) { *(bool *)done = true; }

Test(chardev, mux_key_x_ends_even_when_nobody_reads)
{
    bool done = false;

    mux_begin();
    chardevs_on_exit(set, on_exit_key, &done);
    console.room = 0;
    say(keyboard, "typed ahead\1x");
    for (int i = 0; i < 100 && !done; i++)
        loop_turn(l, MS);
    cr_assert(done);
    expect_fd(keyboard, "ebreak: Terminated\n\r");
    mux_end();
}

Test(chardev, mux_holds_what_the_console_cannot_take)
{
    mux_begin();
    console.room = 2;
    say(keyboard, "abcdef");
    expect(&console, "ab");
    console.room = 3;
    chardev_accept(console.c);
    cr_assert_str_eq(buf_text(&console.seen), "", "not from within");
    expect(&console, "cde");
    console.room = 9;
    chardev_accept(console.c);
    expect(&console, "f");
    mux_end();
}

Test(chardev, mux_type_ahead_is_bounded)
{
    char block[4096];
    size_t sent = 0;
    ssize_t n;

    mux_begin();
    console.room = 0;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1000; i++) {
        n = send(keyboard, block, sizeof block, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(l, 0);
    }
    cr_assert_lt(sent, sizeof block * 1000, "everything was read");
    mux_end();
}

Test(chardev, mux_gives_the_keyboard_back_when_one_leaves)
{
    mux_begin();
    leave(&console);
    expect(&monitor, "<in>");
    say(keyboard, "\1chelp");
    expect(&monitor, "help");
    leave(&monitor);
    close(keyboard);
}

Test(chardev, mux_base_is_not_for_others)
{
    struct front a;

    mux_begin();
    cr_assert_not(
        chardev_join(chardev_find(set, "m-base"), &front_fns, &a, &err));
    cr_assert_str_eq(err.text, "Device 'm-base' is in use");
    cr_assert_not(chardev_remove(set, chardev_find(set, "m-base"), &err));
    mux_end();
}

Test(chardev, mux_tells_all_when_the_line_goes)
{
    mux_begin();
    close(keyboard);
    expect(&console, "<close>");
    expect(&monitor, "<close>");
    keyboard = dial("sock");
    expect(&console, "<open>");
    expect(&monitor, "<open>");
    mux_end();
}

/* A terminal --------------------------------------------------------------- */

Test(chardev, pty_opens_when_somebody_opens_it)
{
    struct front a;
    char link[128] = "";

    join(&a, brief("pty:tty"));
    cr_assert_gt(readlink("tty", link, sizeof link - 1), 0);
    char *name = xasprintf("pty:%s", link);
    cr_assert_str_eq(chardev_filename(a.c), name);
    free(name);
    cr_assert_eq(chardev_write(a.c, "lost", 4), 0, "nobody is there");
    expect_nothing(&a);

    for (int i = 0; i < 2; i++) {
        int fd = open("tty", O_RDWR | O_NOCTTY);

        expect(&a, "<open>");
        put(a.c, "login:\n");
        expect_fd(fd, "login:\n");
        say(fd, "root\n");
        expect(&a, "root\n");
        close(fd);
        expect(&a, "<close>");
    }
    leave(&a);
}

/* stdio -------------------------------------------------------------------- */

static int in_pipe[2], out_pipe[2];

static void redirect(void)
{
    cr_assert_eq(pipe(in_pipe), 0);
    cr_assert_eq(pipe(out_pipe), 0);
    dup2(in_pipe[0], STDIN_FILENO);
    dup2(out_pipe[1], STDOUT_FILENO);
}

Test(chardev, stdio_goes_on_writing_after_the_end_of_input)
{
    struct front a;

    redirect();
    join(&a, brief("stdio"));
    cr_assert_not(chardev_is_tty(a.c));
    say(in_pipe[1], "typed");
    expect(&a, "<open>typed");
    close(in_pipe[1]);
    close(in_pipe[0]);
    expect(&a, "<close>");
    expect_nothing(&a);
    put(a.c, "printed");
    expect_fd(out_pipe[0], "printed");
    leave(&a);
}

Test(chardev, stdio_does_not_change_the_shells_descriptors)
{
    redirect();
    cr_assert_not_null(brief("stdio"));
    cr_assert_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
    cr_assert_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

Test(chardev, stdio_has_one_user)
{
    struct chardev *c;

    redirect();
    c = add("stdio,id=a");
    refused("stdio,id=b", "cannot use stdio by multiple character devices");
    chardev_remove(set, c, NULL);
    cr_assert_not_null(add("stdio,id=b"));
}

Test(chardev, mon_stdio_is_a_mux)
{
    bool mon = false;

    redirect();
    struct chardev *c = chardev_short(set, "serial0", "mon:stdio", &mon, &err);

    cr_assert(mon);
    cr_assert_str_eq(chardev_filename(c), "mux");
    cr_assert_str_eq(chardev_filename(chardev_nth(set, 0)), "stdio");
    cr_assert_str_eq(chardev_id(chardev_nth(set, 0)), "serial0-base");
    cr_assert_eq(chardev_nth(set, 1), c);
    cr_assert_null(chardev_nth(set, 2));
}
