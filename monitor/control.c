/* SPDX-License-Identifier: MIT */
/* control.c - run control: stop, cont, step, reset, start-up by phases. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "emu/base/loop.h"

#include "monitor/mon.h"

/* step -----------------------------------------------------------------------
 * Each step is a request to the machine and an event back; the next one is
 * asked for in a bottom half, when all listeners have seen the last. */

static struct {
    struct monitor *mon; /* NULL: gdb asked, nobody waits */
    struct machine *m;   /* NULL: nothing is under way */
    struct bh *bh;
    int hart;
    uint64_t asked, left;
    struct debug_stop stop;
} stepper;

static bool step_once(struct err *err)
{
    uint64_t bit = 1ull << stepper.hart;
    struct debug_resume r = { .run = ~bit, .step = bit, .hart = stepper.hart };

    return debug_resume(stepper.m, &r, err);
}

static void on_event(void *opaque, const struct debug_event *e)
{
    (void)opaque;
    if (e->kind != DEBUG_EVENT_STOPPED)
        return;
    stepper.stop = e->stop;
    bh_schedule(stepper.bh);
}

static void forget_step(void)
{
    debug_unlisten(stepper.m, on_event, &stepper);
    bh_free(stepper.bh);
    memset(&stepper, 0, sizeof stepper);
}

static void say_where(struct monitor *mon, uint64_t done, uint64_t asked)
{
    struct debug_hart h;
    uint64_t pc;

    if (done < asked)
        mon_print(mon, "stopped after %" PRIu64 " of %" PRIu64 " steps\n", done,
                  asked);
    debug_hart(mon->m, mon->hart, &h);
    pc = h.pc;
    mon_disas(mon, DEBUG_VIRT, &pc);
}

static void end_step(const struct err *err)
{
    struct monitor *mon = stepper.mon;
    uint64_t asked = stepper.asked, done = asked - stepper.left;

    forget_step();
    if (!mon)
        return;
    if (err)
        mon_error(mon, err);
    else
        say_where(mon, done, asked);
    mon_resume(mon);
}

static void next_step(void *opaque)
{
    struct err err;

    (void)opaque;
    if (stepper.stop.reason == DEBUG_STOP_STEP)
        stepper.left--;
    if (stepper.stop.reason != DEBUG_STOP_STEP || stepper.left == 0)
        end_step(NULL);
    else if (!step_once(&err))
        end_step(&err);
}

void control_forget(const struct monitor *mon)
{
    if (stepper.m && stepper.mon == mon)
        forget_step();
}

static bool begin_step(struct monitor *mon, uint64_t count, struct err *err)
{
    if (stepper.m || debug_running(mon->m))
        return err_set(err, "the machine is running, stop it first");
    if (count == 0)
        return err_set(err, "the count must be at least 1");
    stepper.mon = mon->c ? mon : NULL;
    stepper.m = mon->m;
    stepper.hart = mon->hart;
    stepper.asked = stepper.left = count;
    stepper.bh = bh_new(debug_loop(mon->m), "monitor-step", next_step, NULL);
    debug_listen(mon->m, on_event, &stepper);
    if (step_once(err))
        return true;
    forget_step();
    return false;
}

/* step irq [MODE]: text is behind irq. */
static void step_irq(struct monitor *mon, const char *text)
{
    static const char *const modes[] = { [DEBUG_IRQ_OVER] = "over",
                                         [DEBUG_IRQ_INTO] = "into",
                                         [DEBUG_IRQ_MASK] = "mask" };

    text += strspn(text, " \t");
    for (unsigned n = DEBUG_IRQ_OVER; n < ARRAY_LEN(modes); n++)
        if (strcmp(text, modes[n]) == 0) {
            debug_step_irq(mon->m, (enum debug_irq)n);
            return;
        }
    if (*text)
        mon_help_row(mon, "step");
    else
        mon_print(mon, "%s\n", modes[debug_step_irq(mon->m, DEBUG_IRQ_SET)]);
}

static bool count_of(struct monitor *mon, const char *text, uint64_t *count,
                     struct err *err)
{
    *count = 1;
    return *text == 0 ||
           (expr_parse(mon->m, mon->hart, &text, count, err) &&
            (*text == 0 || err_set(err, "a count is one number")));
}

void hmp_step(struct monitor *mon, const struct args *a)
{
    const char *text = arg_given(a, "what") ? arg_text(a, "what") : "";
    struct err err;
    uint64_t count;

    if (strncmp(text, "irq", 3) == 0 && !isalnum((unsigned char)text[3]))
        step_irq(mon, text + 3);
    else if (count_of(mon, text, &count, &err) && begin_step(mon, count, &err))
        mon_wait(mon);
    else
        mon_error(mon, &err);
}

/* stop, cont, and requests ------------------------------------------------ */

void hmp_stop(struct monitor *mon, const struct args *a)
{
    (void)a;
    if (debug_running(mon->m))
        debug_interrupt(mon->m);
}

void hmp_cont(struct monitor *mon, const struct args *a)
{
    static const struct debug_resume all = { .run = ~0ull, .hart = -1 };
    struct err err;

    (void)a;
    if (!debug_running(mon->m) && !debug_resume(mon->m, &all, &err))
        mon_error(mon, &err);
}

void hmp_cpu(struct monitor *mon, const struct args *a)
{
    int n = (int)arg_number(a, "index", 0);

    if (n >= 0 && n < debug_harts(mon->m))
        mon->hart = n;
    else
        mon_print(mon, "invalid CPU index\n");
}

void hmp_system_reset(struct monitor *mon, const struct args *a)
{
    (void)a;
    debug_reset(mon->m);
}

void hmp_system_powerdown(struct monitor *mon, const struct args *a)
{
    (void)a;
    debug_powerdown(mon->m);
}

void hmp_system_wakeup(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "Error: wake-up from suspend is not supported by this"
                   " guest\n");
}

void hmp_nmi(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "Error: machine does not provide NMIs\n");
}

void hmp_quit(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon->leaving = mon->c != NULL;
    debug_quit(mon->m, 0);
}

void hmp_when(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "T=%" PRIu64 " virtual time %" PRId64 " ns\n",
              debug_now(mon->m), debug_virtual_ns(mon->m));
}

void hmp_hash(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "%016" PRIx64 "\n", debug_hash(mon->m));
}

/* Start-up ---------------------------------------------------------------- */

static void say_phase(struct monitor *mon)
{
    struct buf b = { 0 };

    debug_phase_where(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

static void walk(struct monitor *mon, enum debug_walk_how how, const char *name)
{
    struct err err;

    if (debug_phase_go(mon->m, how, name, &err))
        say_phase(mon);
    else
        mon_error(mon, &err);
}

void hmp_phase(struct monitor *mon, const struct args *a)
{
    static const struct {
        const char *word;
        enum debug_walk_how how;
        bool names;
    } ways[] = {
        { "step", DEBUG_PHASE_STEP, false },
        { "next", DEBUG_PHASE_NEXT, false },
        { "until", DEBUG_PHASE_UNTIL, true },
        { "run", DEBUG_PHASE_RUN, false },
    };
    const char *word = arg_text(a, "how"), *name = arg_text(a, "name");

    if (!word) {
        say_phase(mon);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (strcmp(ways[i].word, word) == 0 &&
            ways[i].names == (name != NULL)) {
            walk(mon, ways[i].how, name);
            return;
        }
    mon_help_row(mon, "phase");
}

void hmp_exit_preconfig(struct monitor *mon, const struct args *a)
{
    struct err err;

    (void)a;
    if (debug_phase(mon->m) >= FROM_READY)
        mon_print(mon, "Error: The command is permitted only before machine"
                       " initialization\n");
    else if (!debug_phase_go(mon->m, DEBUG_PHASE_RUN, NULL, &err))
        mon_error(mon, &err);
}
