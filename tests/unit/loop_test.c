/* SPDX-License-Identifier: MIT */
/* loop_test.c - the event loop. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "emu/base/loop.h"

#define MS INT64_C(1000000)

static struct loop *l;
static char seen[256]; /* one letter for each call, in order */

static void begin(void) { l = loop_new(); }
static void end(void) { loop_free(l); }

TestSuite(loop, .init = begin, .fini = end, .timeout = 20);

static void note(void *letter) { strcat(seen, letter); }

static void turn(void) { loop_turn(l, 0); }

/* Timers ------------------------------------------------------------------- */

static struct timer *new_timer(enum loop_clock clock, const char *letter)
{
    static char letters[26][2];
    char *own = letters[*letter - 'a'];

    strcpy(own, letter);
    return timer_new(l, clock, letter, note, own);
}

Test(loop, timers_fire_by_deadline_then_by_creation)
{
    struct timer *a = new_timer(LOOP_REALTIME, "a");
    struct timer *b = new_timer(LOOP_REALTIME, "b");
    struct timer *c = new_timer(LOOP_REALTIME, "c");
    struct timer *d = new_timer(LOOP_REALTIME, "d");

    timer_set(d, 5);
    timer_set(c, 20);
    timer_set(b, 10);
    timer_set(a, 10);
    cr_assert_eq(loop_deadline(l, LOOP_REALTIME), 5);
    turn();
    cr_assert_str_eq(seen, "dabc");
    cr_assert_eq(loop_deadline(l, LOOP_REALTIME), INT64_MAX);
    cr_assert_not(timer_pending(a));
}

Test(loop, timer_not_yet_due_waits)
{
    struct timer *a = new_timer(LOOP_REALTIME, "a");

    timer_set(a, loop_now(l, LOOP_REALTIME) + 3600000 * MS);
    turn();
    cr_assert_str_eq(seen, "");
    cr_assert(timer_pending(a));
    timer_del(a);
    cr_assert_eq(timer_expires(a), INT64_MAX);
}

static int64_t virtual_time;

static int64_t virtual_now(void *opaque)
{
    (void)opaque;
    return virtual_time;
}

Test(loop, virtual_timers_are_the_machines_to_run)
{
    static char set[] = "S";
    struct timer *a = new_timer(LOOP_VIRTUAL, "a");

    loop_virtual_clock(l, virtual_now, NULL);
    loop_on_virtual_set(l, note, set);
    timer_set(a, 100);
    cr_assert_str_eq(seen, "S");
    virtual_time = 99;
    turn();
    cr_assert_not(loop_run_timers(l, LOOP_VIRTUAL));
    virtual_time = 100;
    turn();
    cr_assert_str_eq(seen, "S");
    cr_assert(loop_run_timers(l, LOOP_VIRTUAL));
    cr_assert_str_eq(seen, "Sa");
}

static struct timer *again;

static void set_again(void *opaque)
{
    note(opaque);
    timer_set(again, 0);
}

Test(loop, timer_set_to_the_past_does_not_hold_the_loop_up)
{
    static char x[] = "x";

    again = timer_new(l, LOOP_REALTIME, "again", set_again, x);
    timer_set(again, 0);
    turn();
    cr_assert_str_eq(seen, "x");
    turn();
    cr_assert_str_eq(seen, "xx");
}

static void free_timer(void *t)
{
    strcat(seen, "f");
    timer_free(*(struct timer **)t);
}

Test(loop, timer_may_free_itself_and_the_next)
{
    static struct timer *self, *next;

    self = timer_new(l, LOOP_REALTIME, "self", free_timer, &self);
    next = timer_new(l, LOOP_REALTIME, "next", free_timer, &self);
    timer_set(self, 1);
    turn();
    self = timer_new(l, LOOP_REALTIME, "self", free_timer, &next);
    timer_set(self, 1);
    timer_set(next, 2);
    turn();
    cr_assert_str_eq(seen, "ff");
    timer_free(self);
}

Test(loop, wait_ends_when_a_timer_is_due_and_not_before)
{
    struct timer *a = new_timer(LOOP_REALTIME, "a");
    int64_t start = loop_now(l, LOOP_REALTIME);
    int turns = 0;

    timer_set(a, start + 30 * MS);
    while (seen[0] == 0) {
        loop_turn(l, -1);
        turns++;
    }
    cr_assert_geq(loop_now(l, LOOP_REALTIME) - start, 30 * MS);
    cr_assert_leq(turns, 2, "the loop spun %d times", turns);
}

Test(loop, idle_wait_costs_no_time)
{
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    cr_assert_not(loop_turn(l, 200 * MS));
    getrusage(RUSAGE_SELF, &after);
    struct timeval spent;
    timersub(&after.ru_utime, &before.ru_utime, &spent);
    cr_assert_lt(spent.tv_sec * 1000000 + spent.tv_usec, 20000);
}

/* Bottom halves ------------------------------------------------------------ */

static struct bh *new_bh(const char *letter)
{
    static char letters[26][2];
    char *own = letters[*letter - 'a'];

    strcpy(own, letter);
    return bh_new(l, letter, note, own);
}

Test(loop, bottom_halves_run_in_the_order_of_scheduling)
{
    struct bh *a = new_bh("a"), *b = new_bh("b"), *c = new_bh("c");

    bh_schedule(b);
    bh_schedule(c);
    bh_schedule(a);
    bh_schedule(b);
    cr_assert(loop_turn(l, -1));
    cr_assert_str_eq(seen, "bca");
    turn();
    cr_assert_str_eq(seen, "bca");
}

Test(loop, cancelled_bottom_half_does_not_run)
{
    struct bh *a = new_bh("a"), *b = new_bh("b");

    bh_schedule(a);
    bh_schedule(b);
    bh_cancel(a);
    turn();
    cr_assert_str_eq(seen, "b");
    bh_schedule(a);
    turn();
    cr_assert_str_eq(seen, "ba");
}

static struct bh *self;

static void schedule_self(void *opaque)
{
    note(opaque);
    bh_schedule(self);
}

static void free_self(void *opaque)
{
    note(opaque);
    bh_free(self);
}

Test(loop, bottom_half_that_schedules_itself_runs_once_a_turn)
{
    static char x[] = "x";

    self = bh_new(l, "self", schedule_self, x);
    bh_schedule(self);
    turn();
    cr_assert_str_eq(seen, "x");
    cr_assert(loop_turn(l, -1), "a wait with work to do must end");
    cr_assert_str_eq(seen, "xx");
}

Test(loop, bottom_half_may_free_itself)
{
    static char x[] = "x";

    self = bh_new(l, "self", free_self, x);
    bh_schedule(self);
    turn();
    turn();
    cr_assert_str_eq(seen, "x");
}

Test(loop, callbacks_go_fds_then_bottom_halves_then_timers)
{
    static char r[] = "r";
    int fd[2];
    struct timer *t = new_timer(LOOP_REALTIME, "t");
    struct bh *b = new_bh("b");

    cr_assert_eq(pipe(fd), 0);
    cr_assert_eq(write(fd[1], "x", 1), 1);
    timer_set(t, 0);
    bh_schedule(b);
    loop_fd(l, fd[0], NULL, note, NULL, r);
    turn();
    cr_assert_str_eq(seen, "rbt");
}

static void *schedule_many(void *b)
{
    for (int i = 0; i < 100000; i++)
        bh_schedule(b);
    return NULL;
}

static int calls;

static void count(void *opaque)
{
    (void)opaque;
    calls++;
}

Test(loop, bottom_half_from_another_thread_wakes_the_loop)
{
    struct bh *b = bh_new(l, "count", count, NULL);
    pthread_t thread;

    pthread_create(&thread, NULL, schedule_many, b);
    while (calls == 0)
        loop_turn(l, -1);
    pthread_join(thread, NULL);
    calls = 0;
    bh_schedule(b);
    turn();
    cr_assert_eq(calls, 1, "nothing is lost and nothing runs twice");
    turn();
    cr_assert_eq(calls, 1);
}

/* Two threads and the loop pass a ball: a lost wake-up would hang. */
static struct bh *ball;
static int passes;

static void *pass_back(void *opaque)
{
    (void)opaque;
    for (int i = 0; i < 20000; i++) {
        int before = __atomic_load_n(&calls, __ATOMIC_SEQ_CST);

        bh_schedule(ball);
        while (__atomic_load_n(&calls, __ATOMIC_SEQ_CST) == before)
            ;
        passes++;
    }
    bh_schedule(ball);
    return NULL;
}

static void catch (void *opaque)
{
    (void)opaque;
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
}

Test(loop, no_wake_up_is_lost)
{
    pthread_t thread;

    ball = bh_new(l, "ball", catch, NULL);
    pthread_create(&thread, NULL, pass_back, NULL);
    while (__atomic_load_n(&calls, __ATOMIC_SEQ_CST) < 20001)
        loop_turn(l, -1);
    pthread_join(thread, NULL);
    cr_assert_eq(passes, 20000);
}

static struct bh *from_signal;

static void schedule_in_handler(int signo)
{
    (void)signo;
    bh_schedule(from_signal);
}

static void no_alarm(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}

static void alarm_every_ms(void (*handler)(int))
{
    struct sigaction act = { .sa_handler = handler };
    struct itimerval every = { { 0, 1000 }, { 0, 1000 } };

    if (handler != NULL)
        sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

Test(loop, bottom_half_from_a_signal_handler_wakes_the_loop)
{
    from_signal = bh_new(l, "signal", count, NULL);
    alarm_every_ms(schedule_in_handler);
    while (calls < 50)
        loop_turn(l, -1);
    no_alarm();
}

Test(loop, signal_runs_its_function_in_the_loop)
{
    loop_signal(l, SIGUSR1, count, NULL);
    cr_assert_eq(loop_counts(l).signals, 1);
    cr_assert_eq(loop_counts(l).bhs, 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    cr_assert_eq(calls, 0, "not in the handler");
    loop_turn(l, -1);
    cr_assert_eq(calls, 1);
}

Test(loop, signal_is_given_back)
{
    struct sigaction act;

    signal(SIGUSR1, SIG_IGN);
    loop_signal(l, SIGUSR1, count, NULL);
    loop_signal(l, SIGUSR1, NULL, NULL);
    sigaction(SIGUSR1, NULL, &act);
    cr_assert_eq(act.sa_handler, SIG_IGN);
}

Test(loop, interrupted_wait_is_no_error)
{
    loop_signal(l, SIGALRM, count, NULL);
    alarm_every_ms(NULL);
    while (calls < 20)
        loop_turn(l, 1000 * MS);
    no_alarm();
}

static void *kick_later(void *opaque)
{
    usleep(20000);
    loop_kick(opaque);
    return NULL;
}

Test(loop, kick_ends_a_wait)
{
    pthread_t thread;

    pthread_create(&thread, NULL, kick_later, l);
    loop_turn(l, -1);
    pthread_join(thread, NULL);
}

/* Descriptors -------------------------------------------------------------- */

static int fds[2];
static size_t room;

static size_t take_room(void *opaque)
{
    (void)opaque;
    return room;
}

static void read_one(void *opaque)
{
    char c[2] = "";

    (void)opaque;
    cr_assert_eq(read(fds[0], c, 1), 1);
    strcat(seen, c);
    room--;
}

Test(loop, fd_is_read_only_while_its_front_end_can_take)
{
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "abc", 3), 3);
    loop_fd(l, fds[0], take_room, read_one, NULL, NULL);
    cr_assert_not(loop_turn(l, 5 * MS));
    room = 2;
    for (int i = 0; i < 4; i++)
        turn();
    cr_assert_str_eq(seen, "ab");
    room = 1;
    cr_assert(loop_turn(l, -1));
    cr_assert_str_eq(seen, "abc");
}

Test(loop, write_callback_comes_when_there_is_room)
{
    static char w[] = "w";
    char block[4096] = { 0 };

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    while (write(fds[0], block, sizeof block) > 0)
        ;
    loop_fd(l, fds[0], NULL, NULL, note, w);
    turn();
    cr_assert_str_eq(seen, "", "the peer does not read");
    while (read(fds[1], block, sizeof block) > 0)
        ;
    turn();
    cr_assert_str_eq(seen, "w");
}

Test(loop, descriptor_beyond_the_set_is_refused)
{
    cr_assert_not(loop_fd(l, FD_SETSIZE, NULL, note, NULL, NULL));
    cr_assert_not(loop_fd(l, -1, NULL, note, NULL, NULL));
    cr_assert_eq(loop_counts(l).fds, 0);
}

/* Closes the second pipe, whose byte select() has seen, and opens a new one
 * that gets the same number. */
static int other[2], reborn[2];

static void replace_other(void *opaque)
{
    static char bad[] = "!";
    char c;

    (void)opaque;
    strcat(seen, "r");
    cr_assert_eq(read(fds[0], &c, 1), 1);
    loop_fd(l, other[0], NULL, NULL, NULL, NULL);
    close(other[0]);
    cr_assert_eq(pipe(reborn), 0);
    cr_assert_eq(reborn[0], other[0]);
    loop_fd(l, reborn[0], NULL, note, NULL, bad);
}

Test(loop, reused_descriptor_number_is_not_called_for_the_old_one)
{
    static char o[] = "o";

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(pipe(other), 0);
    cr_assert_lt(fds[0], other[0]);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    cr_assert_eq(write(other[1], "x", 1), 1);
    loop_fd(l, fds[0], NULL, replace_other, NULL, NULL);
    loop_fd(l, other[0], NULL, note, NULL, o);
    turn();
    cr_assert_str_eq(seen, "r");
}

static void remove_both(void *opaque)
{
    note(opaque);
    loop_fd(l, fds[0], NULL, NULL, NULL, NULL);
    loop_fd(l, fds[1], NULL, NULL, NULL, NULL);
}

Test(loop, handler_may_remove_itself_and_others)
{
    static char x[] = "x";

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    loop_fd(l, fds[0], NULL, NULL, remove_both, x);
    loop_fd(l, fds[1], NULL, NULL, remove_both, x);
    turn();
    turn();
    cr_assert_str_eq(seen, "x");
    cr_assert_eq(loop_counts(l).fds, 0);
}

static void turn_inside(void *opaque)
{
    char c;

    note(opaque);
    cr_assert_eq(read(fds[0], &c, 1), 1);
    loop_turn(l, 0);
}

Test(loop, callback_may_turn_the_loop)
{
    static char x[] = "x";
    struct bh *b = new_bh("b");

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    loop_fd(l, fds[0], NULL, turn_inside, NULL, x);
    bh_schedule(b);
    turn();
    cr_assert_str_eq(seen, "xb");
}

Test(loop, counts_what_exists)
{
    struct loop_counts n;

    new_timer(LOOP_REALTIME, "a");
    new_timer(LOOP_VIRTUAL, "b");
    new_bh("c");
    cr_assert_eq(pipe(fds), 0);
    loop_fd(l, fds[0], NULL, note, NULL, NULL);
    n = loop_counts(l);
    cr_assert_eq(n.fds, 1);
    cr_assert_eq(n.timers, 2);
    cr_assert_eq(n.bhs, 1);
    cr_assert_eq(n.signals, 0);
}
