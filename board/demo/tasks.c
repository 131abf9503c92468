/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - what runs in U mode: three tasks that count fruit, each its own.
 *
 * They never give way: it is the timer that takes turns.
 */
#include "board/demo/layout.h"

char task_stacks[3][STACK_SIZE] __attribute__((aligned(16)));

volatile unsigned long apples, pears, plums;

/* The one system call: a0 is a text to print. */
static void say(const char *text)
{
    register const char *a0 asm("a0") = text;
    asm volatile("ecall" : "+r"(a0) : : "memory");
}

void count_apples(void)
{
    say("apples: hello from U mode\n");
    for (;;)
        apples++;
}

void count_pears(void)
{
    say("pears:  hello from U mode\n");
    for (;;)
        pears++;
}

void count_plums(void)
{
    say("plums:  hello from U mode\n");
    for (;;)
        plums++;
}
