/* SPDX-License-Identifier: MIT */
/*
 * gdb_timer.c - C code to step through while a timer interrupts it 10,000
 * times a second; M mode.
 */
typedef unsigned long u64;

enum { TICK = 1000 }; /* of the 10 MHz clock */

static volatile u64 *const mtime = (u64 *)0x200bff8;
static volatile u64 *const mtimecmp = (u64 *)0x2004000;

struct node {
    struct node *next;
    int field;
};

volatile int ticks;
volatile long sum;
char text[32] = "seven!!";
struct node nodes[2] = { { &nodes[1], 0 }, { &nodes[0], 0 } };
struct node *p = &nodes[0];

__attribute__((interrupt("machine"), aligned(4))) void clockintr(void)
{
    *mtimecmp = *mtime + TICK;
    ticks++;
}

int length(const char *s)
{
    int n = 0;
    while (s[n])
        n++;
    return n;
}

int triple(int x)
{
    int result = 0;
    for (int i = 0; i < 3; i++)
        result += x;
    return result;
}

void loop_on_one_line(long n)
{
    /* clang-format off */
    for (volatile long i = 0; i < n; i++) sum++;
    /* clang-format on */
    sum = 0;
}

void set_field(int value)
{
    p->field = value;
    p->next->field = -value;
}

void work(int round)
{
    int local = round;
    local = triple(local);
    local += length(text);
    set_field(round);
    sum += local;
}

int main(void)
{
    for (int round = 0;; round++) {
        work(round);
        loop_on_one_line(10);
    }
}

__attribute__((section(".text.start"), naked)) void _start(void)
{
    asm volatile("la sp, stack_top\n"
                 "la t0, clockintr\n"
                 "csrw mtvec, t0\n"
                 "li t0, 0x6000\n"
                 "csrs mstatus, t0\n"
                 "call setup\n"
                 "call main");
}

void setup(void)
{
    *mtimecmp = *mtime + TICK;
    asm volatile("csrs mie, %0" : : "r"(1 << 7));
    asm volatile("csrsi mstatus, 8");
}

__attribute__((aligned(16))) char stack[8192];
asm(".globl stack_top\n.set stack_top, stack + 8192");
