/* SPDX-License-Identifier: MIT */
/*
 * loop.c - the event loop.
 *
 * Nothing is locked: all but bh_schedule and loop_kick belongs to the thread
 * that turns the loop. Those two touch only atomics and write to an eventfd,
 * which makes them safe in a signal handler and in any thread.
 */
#include "emu/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/log.h"

#define SECOND INT64_C(1000000000)

struct handler {
    loop_can_fn *can;
    loop_fn *read, *write;
    void *opaque;
    uint64_t born; /* the turn in which the descriptor was first watched */
};

struct timer {
    struct timer *next; /* pending on the same clock, by deadline */
    struct timer *next_made, **made_link;
    struct loop *loop;
    const char *name;
    loop_fn *fn;
    void *opaque;
    int64_t when;   /* INT64_MAX unless pending */
    uint64_t age;   /* breaks ties between equal deadlines */
    uint64_t round; /* the loop_run_timers in which it fired last */
    enum loop_clock clock;
};

struct bh {
    struct bh *next, **link;
    struct loop *loop;
    const char *name;
    loop_fn *fn;
    void *opaque;
    _Atomic uint64_t ticket; /* its place in the queue; 0: not scheduled */
};

struct loop {
    struct handler fds[FD_SETSIZE];
    int nfds; /* one more than the highest descriptor that is watched */
    uint64_t turn;

    struct timer *pending[LOOP_CLOCKS];
    struct timer *timers;
    uint64_t timers_made, round;
    loop_now_fn *virtual_now;
    void *virtual_opaque;
    loop_fn *virtual_set;
    void *virtual_set_opaque;

    struct bh *bhs;
    _Atomic uint64_t tickets; /* handed out so far */

    int kick_fd; /* an eventfd */
    atomic_bool kicked;
};

/* Signal handlers are the process's, not a loop's. */
static struct {
    struct bh *_Atomic bh;
    struct sigaction old;
} signals[NSIG];

struct loop *loop_new(void)
{
    struct loop *l = xcalloc(1, sizeof *l);

    l->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->kick_fd < 0 || l->kick_fd >= FD_SETSIZE)
        die("no descriptor is left for the event loop");
    return l;
}

void loop_kick(struct loop *l)
{
    int saved = errno;
    uint64_t one = 1;

    /* A full eventfd is readable already: a failed write is no loss. */
    if (!atomic_exchange(&l->kicked, true) &&
        write(l->kick_fd, &one, sizeof one) < 0)
        assert(errno == EAGAIN);
    errno = saved;
}

/* The flag is cleared last: a kick that comes in between and writes nothing
 * is one whose bottom half we are about to see. */
static void take_kick(struct loop *l)
{
    uint64_t count;

    if (!atomic_load(&l->kicked))
        return;
    if (read(l->kick_fd, &count, sizeof count) < 0)
        assert(errno == EAGAIN);
    atomic_store(&l->kicked, false);
}

/* Descriptors -------------------------------------------------------------- */

bool loop_fd(struct loop *l, int fd, loop_can_fn *can, loop_fn *read,
             loop_fn *write, void *opaque)
{
    bool watch = read != NULL || write != NULL;

    if (fd < 0 || fd >= FD_SETSIZE)
        return false;
    struct handler *h = &l->fds[fd];
    uint64_t born = h->read == NULL && h->write == NULL ? l->turn : h->born;

    *h = (struct handler){ can, read, write, opaque, born };
    if (watch && fd >= l->nfds)
        l->nfds = fd + 1;
    while (l->nfds > 0 && l->fds[l->nfds - 1].read == NULL &&
           l->fds[l->nfds - 1].write == NULL)
        l->nfds--;
    return true;
}

static bool wants_read(const struct handler *h)
{
    return h->read != NULL && (h->can == NULL || h->can(h->opaque) > 0);
}

static void collect(struct loop *l, fd_set *in, fd_set *out)
{
    FD_ZERO(in);
    FD_ZERO(out);
    FD_SET(l->kick_fd, in);
    for (int fd = 0; fd < l->nfds; fd++) {
        if (wants_read(&l->fds[fd]))
            FD_SET(fd, in);
        if (l->fds[fd].write != NULL)
            FD_SET(fd, out);
    }
}

/*
 * A callback may have removed this handler, or have closed the descriptor and
 * opened another under the same number: what select() said of the old one
 * must not reach a handler born since. turn is not l->turn: a callback may
 * turn the loop itself.
 */
static bool run_fds(struct loop *l, uint64_t turn, const fd_set *in,
                    const fd_set *out)
{
    bool any = false;

    for (int fd = 0; fd < l->nfds; fd++) {
        struct handler *h = &l->fds[fd];

        if (FD_ISSET(fd, in) && h->born < turn && wants_read(h)) {
            h->read(h->opaque);
            any = true;
        }
        if (FD_ISSET(fd, out) && h->born < turn && h->write != NULL) {
            h->write(h->opaque);
            any = true;
        }
    }
    return any;
}

/* Clocks and timers -------------------------------------------------------- */

void loop_virtual_clock(struct loop *l, loop_now_fn *now, void *opaque)
{
    l->virtual_now = now;
    l->virtual_opaque = opaque;
}

static int64_t host_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

int64_t loop_now(struct loop *l, enum loop_clock clock)
{
    switch (clock) {
    case LOOP_REALTIME:
        return host_clock(CLOCK_MONOTONIC);
    case LOOP_HOST:
        return host_clock(CLOCK_REALTIME);
    default:
        return l->virtual_now != NULL ? l->virtual_now(l->virtual_opaque) : 0;
    }
}

struct timer *timer_new(struct loop *l, enum loop_clock clock, const char *name,
                        loop_fn *fn, void *opaque)
{
    struct timer *t = xcalloc(1, sizeof *t);

    assert(clock >= 0 && clock < LOOP_CLOCKS && fn != NULL);
    t->loop = l;
    t->clock = clock;
    t->name = name;
    t->fn = fn;
    t->opaque = opaque;
    t->when = INT64_MAX;
    t->age = l->timers_made++;
    t->next_made = l->timers;
    t->made_link = &l->timers;
    if (l->timers != NULL)
        l->timers->made_link = &t->next_made;
    l->timers = t;
    return t;
}

void timer_free(struct timer *t)
{
    if (t == NULL)
        return;
    timer_del(t);
    *t->made_link = t->next_made;
    if (t->next_made != NULL)
        t->next_made->made_link = t->made_link;
    free(t);
}

static bool goes_before(const struct timer *a, const struct timer *b)
{
    return a->when < b->when || (a->when == b->when && a->age < b->age);
}

void timer_set(struct timer *t, int64_t when_ns)
{
    struct timer **at = &t->loop->pending[t->clock];

    timer_del(t);
    if (when_ns == INT64_MAX) /* never */
        return;
    t->when = when_ns;
    while (*at != NULL && goes_before(*at, t))
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    if (t->clock == LOOP_VIRTUAL && t->loop->virtual_set != NULL)
        t->loop->virtual_set(t->loop->virtual_set_opaque);
}

void timer_del(struct timer *t)
{
    struct timer **at = &t->loop->pending[t->clock];

    if (!timer_pending(t))
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->next = NULL;
    t->when = INT64_MAX;
}

bool timer_pending(const struct timer *t) { return t->when != INT64_MAX; }

int64_t timer_expires(const struct timer *t) { return t->when; }

int64_t loop_deadline(const struct loop *l, enum loop_clock clock)
{
    const struct timer *first = l->pending[clock];

    return first != NULL ? first->when : INT64_MAX;
}

void loop_on_virtual_set(struct loop *l, loop_fn *fn, void *opaque)
{
    l->virtual_set = fn;
    l->virtual_set_opaque = opaque;
}

/* The next one to fire. One that is set again to a time gone by waits for the
 * next round, so that no timer can hold the loop up. */
static struct timer *due(struct loop *l, enum loop_clock clock, int64_t now,
                         uint64_t round)
{
    for (struct timer *t = l->pending[clock]; t != NULL; t = t->next)
        if (t->when > now)
            return NULL;
        else if (t->round < round)
            return t;
    return NULL;
}

bool loop_run_timers(struct loop *l, enum loop_clock clock)
{
    uint64_t round = ++l->round;
    struct timer *t;
    bool any = false;

    if (l->pending[clock] == NULL)
        return false;
    for (int64_t now = loop_now(l, clock);
         (t = due(l, clock, now, round)) != NULL; any = true) {
        timer_del(t);
        t->round = round;
        t->fn(t->opaque);
    }
    return any;
}

/* Bottom halves ------------------------------------------------------------ */

struct bh *bh_new(struct loop *l, const char *name, loop_fn *fn, void *opaque)
{
    struct bh *b = xcalloc(1, sizeof *b);

    assert(fn != NULL);
    b->loop = l;
    b->name = name;
    b->fn = fn;
    b->opaque = opaque;
    b->next = l->bhs;
    b->link = &l->bhs;
    if (l->bhs != NULL)
        l->bhs->link = &b->next;
    l->bhs = b;
    return b;
}

void bh_schedule(struct bh *b)
{
    uint64_t free_place = 0;
    uint64_t ticket = atomic_fetch_add(&b->loop->tickets, 1) + 1;

    atomic_compare_exchange_strong(&b->ticket, &free_place, ticket);
    loop_kick(b->loop);
}

void bh_cancel(struct bh *b) { atomic_store(&b->ticket, 0); }

void bh_free(struct bh *b)
{
    if (b == NULL)
        return;
    *b->link = b->next;
    if (b->next != NULL)
        b->next->link = b->link;
    free(b);
}

/* The scheduled one with the lowest ticket up to last. There are a dozen
 * bottom halves: looking at each is cheaper than keeping a queue that a
 * signal handler may push to and bh_free may cut. */
static struct bh *first_bh(struct loop *l, uint64_t last)
{
    struct bh *first = NULL;
    uint64_t lowest = last + 1;

    for (struct bh *b = l->bhs; b != NULL; b = b->next) {
        uint64_t ticket = atomic_load(&b->ticket);

        if (ticket != 0 && ticket < lowest) {
            lowest = ticket;
            first = b;
        }
    }
    return first;
}

/* Runs those scheduled before now; what they schedule is for the next turn. */
static bool run_bhs(struct loop *l)
{
    uint64_t last = atomic_load(&l->tickets);
    struct bh *b;
    bool any = false;

    while ((b = first_bh(l, last)) != NULL) {
        atomic_store(&b->ticket, 0);
        b->fn(b->opaque);
        any = true;
    }
    return any;
}

/* Signals ------------------------------------------------------------------ */

static void on_signal(int signo)
{
    struct bh *b = atomic_load(&signals[signo].bh);

    if (b != NULL)
        bh_schedule(b);
}

static void drop_signal(int signo)
{
    struct bh *b = atomic_load(&signals[signo].bh);

    if (b == NULL)
        return;
    sigaction(signo, &signals[signo].old, NULL);
    atomic_store(&signals[signo].bh, NULL);
    bh_free(b);
}

void loop_signal(struct loop *l, int signo, loop_fn *fn, void *opaque)
{
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    assert(signo > 0 && signo < NSIG);
    drop_signal(signo);
    if (fn == NULL)
        return;
    atomic_store(&signals[signo].bh, bh_new(l, "signal", fn, opaque));
    sigemptyset(&act.sa_mask);
    sigaction(signo, &act, &signals[signo].old);
}

static bool is_ours(const struct loop *l, int signo)
{
    const struct bh *b = atomic_load(&signals[signo].bh);

    return b != NULL && b->loop == l;
}

/* The turn ----------------------------------------------------------------- */

/* How long until clock's first deadline, at most limit (-1: for ever). */
static int64_t until_due(struct loop *l, enum loop_clock clock, int64_t limit)
{
    int64_t when = loop_deadline(l, clock);

    if (when == INT64_MAX)
        return limit;
    int64_t now = loop_now(l, clock);
    int64_t wait = when > now ? when - now : 0;

    return limit < 0 || wait < limit ? wait : limit;
}

static int64_t time_to_wait(struct loop *l, int64_t limit)
{
    if (limit == 0 || first_bh(l, UINT64_MAX - 1) != NULL)
        return 0;
    limit = until_due(l, LOOP_REALTIME, limit);
    /* The wall clock may be set while we wait for it: look once a second. */
    if (l->pending[LOOP_HOST] != NULL && (limit < 0 || limit > SECOND))
        limit = SECOND;
    return until_due(l, LOOP_HOST, limit);
}

/* select() counts microseconds: rounded up, or the last one would be spent
 * in turns that find nothing due. */
static struct timeval to_timeval(int64_t ns)
{
    int64_t us = ns / 1000 + (ns % 1000 != 0);

    return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

bool loop_turn(struct loop *l, int64_t timeout_ns)
{
    fd_set in, out;
    bool any = false;
    uint64_t turn = ++l->turn;

    log_flush();
    collect(l, &in, &out);
    int64_t wait = time_to_wait(l, timeout_ns);
    struct timeval tv = to_timeval(wait < 0 ? 0 : wait);
    int top = l->nfds > l->kick_fd ? l->nfds : l->kick_fd + 1;
    int ready = select(top, &in, &out, NULL, wait < 0 ? NULL : &tv);

    assert(ready >= 0 || errno == EINTR);
    take_kick(l);
    if (ready > 0)
        any |= run_fds(l, turn, &in, &out);
    any |= run_bhs(l);
    any |= loop_run_timers(l, LOOP_REALTIME);
    any |= loop_run_timers(l, LOOP_HOST);
    return any;
}

bool loop_timer(const struct loop *l, size_t n, struct loop_timer *out)
{
    const struct timer *t = l->timers;

    while (t && n-- > 0)
        t = t->next_made;
    if (!t)
        return false;
    *out = (struct loop_timer){ t->name, t->clock, t->when };
    return true;
}

struct loop_counts loop_counts(const struct loop *l)
{
    struct loop_counts n = { 0 };

    for (int fd = 0; fd < l->nfds; fd++)
        n.fds += l->fds[fd].read != NULL || l->fds[fd].write != NULL;
    for (const struct timer *t = l->timers; t != NULL; t = t->next_made)
        n.timers++;
    for (const struct bh *b = l->bhs; b != NULL; b = b->next)
        n.bhs++;
    for (int signo = 1; signo < NSIG; signo++)
        n.signals += is_ours(l, signo);
    n.bhs -= n.signals;
    return n;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    for (int signo = 1; signo < NSIG; signo++)
        if (is_ours(l, signo))
            drop_signal(signo);
    while (l->timers != NULL)
        timer_free(l->timers);
    while (l->bhs != NULL)
        bh_free(l->bhs);
    close(l->kick_fd);
    free(l);
}
