/* SPDX-License-Identifier: MIT */
/*
 * kernels_records.c - records, short strings and many small functions.
 *
 * Statements in about the mixture of Dhrystone (Weicker, CACM 10/1984), in our
 * own words: assignments between records behind pointers, enumerations, a copy
 * and a comparison of strings of thirty characters, few loops, a division, and
 * a call every dozen instructions.
 */
#include <stdbool.h>

#include "tests/bench/kernels.h"

#define APART __attribute__((noinline))

enum colour { RED, GREEN, BLUE, WHITE, BLACK };
enum { TEXT = 31, ROWS = 50 };

struct record {
    struct record *next;
    enum colour colour, other;
    int32_t number;
    char text[TEXT];
};

static struct record first, second;
static struct record *head, *spare;
static int32_t row[ROWS], square[ROWS][ROWS];
static int32_t count;
static char letter, letter2;
static bool seen;

static APART void copy_text(char *to, const char *from)
{
    while ((*to++ = *from++))
        ;
}

static APART int compare_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static APART void add_three(int32_t a, int32_t b, int32_t *sum)
{
    *sum = b + (a + 2);
}

static APART bool is_blue(enum colour c) { return c == BLUE; }

static APART enum colour next_colour(enum colour c)
{
    enum colour to = is_blue(c) ? c : BLACK;

    switch (c) {
    case RED:
        return RED;
    case GREEN:
        return count > 100 ? RED : BLACK;
    case BLUE:
        return GREEN;
    case WHITE:
        break;
    case BLACK:
        return BLUE;
    }
    return to;
}

static APART void follow(struct record **r)
{
    if (head)
        *r = head->next;
    add_three(10, count, &head->number);
}

static APART void pass_on(struct record *r)
{
    struct record *next = r->next;

    *next = *head;
    r->number = 5;
    next->number = r->number;
    next->next = r->next;
    follow(&next->next);
    if (next->colour == RED) {
        next->number = 6;
        next->other = next_colour(r->other);
        next->next = head->next;
        add_three(next->number, 10, &next->number);
    } else {
        *r = *next;
    }
}

static APART void fill(int32_t *line, int32_t (*all)[ROWS], int32_t a,
                       int32_t b)
{
    int32_t at = a + 5;

    line[at] = b;
    line[at + 1] = line[at];
    line[at + 30 - 8] = at;
    for (int32_t k = at; k <= at + 1; k++)
        all[at][k] = at;
    all[at][at - 1]++;
    all[at + 20][at] = line[at];
    count = 5;
}

static APART enum colour by_letter(char a, char b)
{
    char c = a;

    if (c != b)
        return RED;
    letter = c;
    return GREEN;
}

static APART bool is_before(const char *a, const char *b)
{
    int32_t at = 2;
    char c = 'A';

    while (at <= 2)
        if (by_letter(a[at], b[at + 1]) == RED) {
            c = 'A';
            at++;
        }
    if (c >= 'W' && c < 'Z')
        at = 7;
    if (c == 'R')
        return true;
    if (compare_text(a, b) <= 0)
        return false;
    count = at + 7;
    return true;
}

static APART void letters(void)
{
    bool was = letter == 'A';

    seen = was | seen;
    letter2 = 'B';
}

static APART int32_t turn(int32_t n)
{
    char text[TEXT], text2[TEXT];
    enum colour colour = GREEN;
    int32_t a = 2, b = 3, c = 0;

    letter = 'A';
    seen = false;
    letters();
    copy_text(text, "RECORDS AND STRINGS, 1ST TEXT.");
    copy_text(text2, "RECORDS AND STRINGS, 2ND TEXT.");
    seen = !is_before(text, text2);
    while (a < b) {
        c = 5 * a - b;
        add_three(a, b, &c);
        a++;
    }
    fill(row, square, a, c);
    pass_on(head);
    for (char l = 'A'; l <= letter2; l++)
        if (colour == by_letter(l, 'C')) {
            colour = next_colour(RED);
            copy_text(text2, "RECORDS AND STRINGS, 3RD TEXT.");
            b = n;
        }
    b *= a;
    a = b / c;
    return 7 * (b - c) - a + (int32_t)colour + row[7 + n % 8];
}

uint64_t kernel_records(void)
{
    uint64_t sum = 0;

    head = &first;
    spare = &second;
    first = (struct record){ .next = spare, .other = BLUE, .number = 40 };
    copy_text(first.text, "RECORDS AND STRINGS, SOME TEXT");
    for (int32_t n = 1; n <= 20000; n++)
        sum = sum * 3 + (uint64_t)turn(n);
    return sum + (uint64_t)second.number + (uint64_t)square[8][7];
}
