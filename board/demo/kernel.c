/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - the demo kernel proper: S mode, paging on, linked HIGH.
 *
 * Hart 0 runs three tasks, a timer interrupt after each time slice hands the
 * hart to the next. The other harts sleep, and count how often they woke.
 */
#include "board/demo/layout.h"

#define read_csr(name)                                                         \
    ({                                                                         \
        unsigned long v_;                                                      \
        asm volatile("csrr %0, " #name : "=r"(v_));                            \
        v_;                                                                    \
    })
#define write_csr(name, v) asm volatile("csrw " #name ", %0" : : "r"(v))
#define set_csr(name, v)   asm volatile("csrs " #name ", %0" : : "r"(v))

enum {
    SLICE = 10000,           /* of the 10 MHz clock: a millisecond */
    TICKS_PER_REPORT = 1000, /* one a second */
    REPORTS = 10, /* then it is enough, and the machine is switched off */
};

enum {
    CAUSE_ECALL_FROM_USER = 8,
    SIE_TIMER = 1 << 5,
    SSTATUS_SPP = 1 << 8,  /* where sret goes: S, else U */
    SSTATUS_SUM = 1 << 18, /* the kernel may read the tasks' memory */
};
#define CAUSE_TIMER (1ul << 63 | 5)

char kernel_stacks[MAX_HARTS][STACK_SIZE] __attribute__((aligned(16)));

/* Tasks live far below: their addresses are data, never pc-relative. */
void count_apples(void), count_pears(void), count_plums(void);
extern volatile unsigned long apples, pears, plums;
extern char task_stacks[][STACK_SIZE];

static struct task {
    const char *name;
    volatile unsigned long *counter;
    struct frame frame;
} tasks[] = {
    { "apples", &apples, { (unsigned long)count_apples, { 0 } } },
    { "pears", &pears, { (unsigned long)count_pears, { 0 } } },
    { "plums", &plums, { (unsigned long)count_plums, { 0 } } },
};
enum { TASKS = sizeof tasks / sizeof *tasks };
static char (*task_stack)[STACK_SIZE] = task_stacks;

int running; /* which task hart 0 runs */
int ticks, reports_left = REPORTS;
unsigned long wakeups[MAX_HARTS];

_Noreturn void return_to_task(struct frame *f);

/* The console: a 16550 UART, polled. */

static volatile unsigned char *const uart = (void *)(HIGH + UART);
enum { UART_DATA = 0, UART_STATUS = 5, CAN_READ = 0x01, CAN_WRITE = 0x20 };

static void put_char(char c)
{
    while (!(uart[UART_STATUS] & CAN_WRITE))
        ;
    uart[UART_DATA] = c;
}

static void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_number(unsigned long n)
{
    if (n >= 10)
        put_number(n / 10);
    put_char('0' + n % 10);
}

/* The next key, or -1. */
static int get_key(void)
{
    return uart[UART_STATUS] & CAN_READ ? uart[UART_DATA] : -1;
}

/* code 0 is success: it becomes the emulator's exit status. */
_Noreturn void power_off(unsigned code)
{
    enum { PASS = 0x5555, FAIL = 0x3333 };

    put_text("demo: power off\n");
    *(volatile unsigned *)(HIGH + FINISHER) = code ? code << 16 | FAIL : PASS;
    for (;;)
        asm volatile("wfi");
}

/* Time */

/* The next timer interrupt; setting it also takes back a pending one. */
static void set_timer(unsigned long ticks_from_now)
{
    write_csr(0x14d, read_csr(time) + ticks_from_now); /* stimecmp */
}

static void report(void)
{
    put_text("demo:");
    for (int i = 0; i < TASKS; i++) {
        put_char(' ');
        put_number(*tasks[i].counter);
        put_char(' ');
        put_text(tasks[i].name);
        put_char(i < TASKS - 1 ? ',' : '\n');
    }
    if (--reports_left == 0)
        power_off(0);
}

static void on_timer(void)
{
    set_timer(SLICE);
    if (get_key() == 'q')
        power_off(0);
    if (++ticks % TICKS_PER_REPORT == 0)
        report();
    running = (running + 1) % TASKS;
}

/* Called by task_trap; the task whose frame it returns runs next. */
struct frame *on_trap(struct frame *f)
{
    unsigned long cause = read_csr(scause);

    if (cause == CAUSE_TIMER) {
        on_timer();
    } else if (cause == CAUSE_ECALL_FROM_USER) {
        put_text((const char *)f->x[FRAME_A0]);
        f->pc += 4;
    } else {
        put_text("demo: a task did something wrong, cause ");
        put_number(cause);
        put_char('\n');
        power_off(1);
    }
    return &tasks[running].frame;
}

_Noreturn void kernel_main(void)
{
    put_text("\n"
             "  The ebreak demo kernel. Three tasks count fruit.\n"
             "  Keys: q switches the machine off.\n"
             "\n");
    for (int i = 0; i < TASKS; i++)
        tasks[i].frame.x[FRAME_SP] = (unsigned long)task_stack[i + 1];
    asm volatile("csrc sstatus, %0" : : "r"((unsigned long)SSTATUS_SPP));
    set_csr(sstatus, (unsigned long)SSTATUS_SUM);
    set_csr(sie, (unsigned long)SIE_TIMER);
    set_timer(SLICE);
    return_to_task(&tasks[running].frame);
}

/* Interrupts stay off, so wfi ends when one is pending and goes on here. */
_Noreturn void idle_main(unsigned long hart)
{
    set_csr(sie, (unsigned long)SIE_TIMER);
    for (;;) {
        set_timer(SLICE);
        asm volatile("wfi");
        wakeups[hart]++;
    }
}
