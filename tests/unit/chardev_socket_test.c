/* SPDX-License-Identifier: MIT */
/* chardev_socket_test.c - byte streams over sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

#include "tests/unit/chardev_rig.h"

TestSuite(chardev_socket, .init = begin, .fini = end, .timeout = 20);

/* Sockets ------------------------------------------------------------------ */

Test(chardev_socket, bytes_pass_a_unix_socket_both_ways)
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

Test(chardev_socket, server_takes_the_next_client)
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

Test(chardev_socket, client_that_went_unread_makes_room_for_the_next)
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

Test(chardev_socket, reads_only_what_the_front_end_takes)
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

Test(chardev_socket, peer_that_never_reads_costs_bounded_memory_and_no_time)
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

Test(chardev_socket, writing_to_one_who_left_is_no_crash)
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

Test(chardev_socket, last_words_are_written_before_the_end)
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

Test(chardev_socket, socket_file_of_a_dead_program_is_replaced)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
    cr_assert_not_null(server(), "%s", err.text);
    close(dial("sock"));
}

Test(chardev_socket, socket_file_of_a_living_program_is_left_alone)
{
    cr_assert_not_null(server());
    refused("socket,id=t,path=sock,server=on,wait=off",
            "Failed to bind socket to sock: Address already in use");
    close(dial("sock"));
}

Test(chardev_socket, file_that_is_no_socket_is_left_alone)
{
    close(open("sock", O_CREAT, 0600));
    refused("socket,id=t,path=sock,server=on,wait=off",
            "Failed to bind socket to sock: Address already in use");
    cr_assert_eq(unlink("sock"), 0);
}

Test(chardev_socket, hangup_drops_the_client_when_the_loop_turns)
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

Test(chardev_socket, tcp_server_without_a_host_is_on_loopback)
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

Test(chardev_socket, client_reaches_a_server)
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

Test(chardev_socket, client_without_a_server_fails)
{
    refused("socket,id=a,path=nosuch",
            "Failed to connect to 'nosuch': No such file or directory");
    refused("socket,id=a,host=127.0.0.1,port=1",
            "Failed to connect to '127.0.0.1:1': Connection refused");
}

Test(chardev_socket, client_reconnects)
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

Test(chardev_socket, waiting_server_turns_the_loop_until_a_client_comes)
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

Test(chardev_socket, wait_for_a_client_can_be_given_up)
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

Test(chardev_socket, each_client_gets_a_chardev_of_its_own)
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

Test(chardev_socket, client_of_start_up_is_the_first_of_several)
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

Test(chardev_socket, only_listening_sockets_have_several_clients)
{
    cr_assert_not(chardev_on_accept(add("null,id=n"), welcome, NULL));
}
