/* SPDX-License-Identifier: MIT */
/*
 * kernels.c - small programs for the benchmarks: integers, doubles, calls.
 *
 * Compiled twice: for the guest, where they are timed, and for the host,
 * which says what the checksums have to be and how fast they could be. `mix`
 * does what CoreMark does (lists, small matrices, a state machine, CRCs), in
 * our own words.
 */
#include "tests/bench/kernels.h"

#include <stddef.h>

static uint64_t seed;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* CRC-32 with a table ------------------------------------------------------ */

static uint8_t bytes[16384];
static uint32_t crc_table[256];

static void make_crc_table(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        crc_table[n] = c;
    }
}

uint64_t kernel_crc32(void)
{
    uint32_t c = ~0u;

    seed = 1;
    make_crc_table();
    for (size_t n = 0; n < sizeof bytes; n++)
        bytes[n] = (uint8_t)next_random();
    for (int pass = 0; pass < 100; pass++)
        for (size_t n = 0; n < sizeof bytes; n++)
            c = crc_table[(c ^ bytes[n]) & 255] ^ c >> 8;
    return c;
}

/* A list: find, reverse, sort by merging ------------------------------------- */

struct node {
    struct node *next;
    int32_t key, value;
};

static struct node nodes[1000];

static struct node *make_list(int n)
{
    for (int k = 0; k < n; k++) {
        nodes[k].next = k + 1 < n ? &nodes[k + 1] : NULL;
        nodes[k].key = (int32_t)(next_random() % 4096);
        nodes[k].value = k;
    }
    return nodes;
}

static const struct node *find(const struct node *l, int32_t key)
{
    while (l && l->key != key)
        l = l->next;
    return l;
}

static struct node *reverse(struct node *l)
{
    struct node *done = NULL;

    while (l) {
        struct node *next = l->next;

        l->next = done;
        done = l;
        l = next;
    }
    return done;
}

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;

    while (a && b) {
        struct node **least = a->key <= b->key ? &a : &b;

        tail->next = *least;
        tail = *least;
        *least = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort_list(struct node *l, int n)
{
    struct node *second = l, *last = l;

    if (n < 2)
        return l;
    for (int k = 0; k < n / 2; k++) {
        last = second;
        second = second->next;
    }
    last->next = NULL;
    return merge(sort_list(l, n / 2), sort_list(second, n - n / 2));
}

uint64_t kernel_list(void)
{
    uint64_t sum = 0;
    struct node *l;

    seed = 2;
    l = make_list(1000);
    for (int pass = 0; pass < 800; pass++) {
        const struct node *n = find(l, (int32_t)(next_random() % 4096));

        sum = sum * 31 + (uint64_t)(n ? n->value : -1);
        l = reverse(l);
    }
    return sum;
}

/* Matrices ------------------------------------------------------------------- */

enum { SIDE = 60 };
static int32_t ia[SIDE][SIDE], ib[SIDE][SIDE], ic[SIDE][SIDE];
static double da[SIDE][SIDE], db[SIDE][SIDE], dc[SIDE][SIDE];

uint64_t kernel_matmul_int(void)
{
    uint64_t sum = 0;

    seed = 3;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            ia[r][c] = (int32_t)(next_random() % 1000);
            ib[r][c] = (int32_t)(next_random() % 1000);
        }
    for (int pass = 0; pass < 10; pass++)
        for (int r = 0; r < SIDE; r++)
            for (int c = 0; c < SIDE; c++) {
                int32_t s = pass;

                for (int k = 0; k < SIDE; k++)
                    s += ia[r][k] * ib[k][c];
                ic[r][c] = s;
                sum += (uint32_t)s;
            }
    return sum;
}

uint64_t kernel_matmul_double(void)
{
    double sum = 0;

    seed = 4;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            da[r][c] = (double)(next_random() % 1000) / 8;
            db[r][c] = (double)(next_random() % 1000) / 3;
        }
    for (int pass = 0; pass < 10; pass++)
        for (int r = 0; r < SIDE; r++)
            for (int c = 0; c < SIDE; c++) {
                double s = pass;

                for (int k = 0; k < SIDE; k++)
                    s += da[r][k] * db[k][c];
                dc[r][c] = s;
                sum += s;
            }
    return (uint64_t)sum;
}

/* Quicksort -------------------------------------------------------------------- */

static int32_t numbers[20000];

static void quicksort(int32_t *v, int lo, int hi)
{
    while (lo < hi) {
        int32_t pivot = v[(lo + hi) / 2];
        int a = lo, b = hi;

        while (a <= b) {
            while (v[a] < pivot)
                a++;
            while (v[b] > pivot)
                b--;
            if (a <= b) {
                int32_t t = v[a];

                v[a++] = v[b];
                v[b--] = t;
            }
        }
        quicksort(v, lo, b);
        lo = a;
    }
}

uint64_t kernel_sort(void)
{
    uint64_t sum = 0;

    seed = 5;
    for (int pass = 0; pass < 6; pass++) {
        for (int n = 0; n < 20000; n++)
            numbers[n] = (int32_t)next_random();
        quicksort(numbers, 0, 19999);
        for (int n = 0; n < 20000; n += 7)
            sum = sum * 33 + (uint32_t)numbers[n];
    }
    return sum;
}

/* Recursion ---------------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t kernel_fib(void) { return fib(29); }

/* Strings ------------------------------------------------------------------------ */

static char text[4096], copy[4096];

static __attribute__((noinline)) size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

static __attribute__((noinline)) int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a - *b;
}

static __attribute__((noinline)) void copy_string(char *to, const char *from)
{
    while ((*to++ = *from++))
        ;
}

uint64_t kernel_string(void)
{
    uint64_t sum = 0;

    seed = 6;
    for (size_t n = 0; n < sizeof text - 1; n++)
        text[n] = (char)('a' + next_random() % 26);
    for (int pass = 0; pass < 200; pass++) {
        text[next_random() % (sizeof text - 1)] = 'z';
        copy_string(copy, text);
        sum += length(copy) + (uint64_t)compare(copy, text);
        copy[next_random() % (sizeof text - 1)] = 'y';
        sum = sum * 31 + (uint64_t)(compare(copy, text) + 300);
    }
    return sum;
}

/* A bit of everything -------------------------------------------------------------- */

static uint16_t crc16(uint16_t crc, uint32_t v, int bits)
{
    for (int n = 0; n < bits; n++) {
        int out = (crc ^ v) & 1;

        v >>= 1;
        crc >>= 1;
        if (out)
            crc ^= 0xa001;
    }
    return crc;
}

enum state { START, SIGN, INT, DOT, FRAC, EXP, BAD, STATES };

static enum state step(enum state s, char c)
{
    switch (s) {
    case START:
        if (c == '+' || c == '-')
            return SIGN;
        /* fall through */
    case SIGN:
        return c >= '0' && c <= '9' ? INT : c == '.' ? DOT : BAD;
    case INT:
        if (c == '.')
            return DOT;
        return c >= '0' && c <= '9' ? INT : c == 'e' ? EXP : BAD;
    case DOT:
    case FRAC:
        return c >= '0' && c <= '9' ? FRAC : c == 'e' ? EXP : BAD;
    case EXP:
        return c >= '0' && c <= '9' ? EXP : BAD;
    default:
        return BAD;
    }
}

static uint16_t scan_numbers(uint16_t crc)
{
    static const char input[] = "5012,1234.500,-110.700,+0.64400,35.54e,-.123e"
                                "-2,-87e+832,+0.6e-12,T0.3e-1F,1T3.4e4z,+-.e";
    int count[STATES] = { 0 };
    enum state s = START;

    for (const char *p = input; *p; p++) {
        s = *p == ',' ? START : step(s, *p);
        count[s]++;
    }
    for (int n = 0; n < STATES; n++)
        crc = crc16(crc, (uint32_t)count[n], 16);
    return crc;
}

enum { SMALL = 9 };

static uint16_t small_matrix(uint16_t crc, int16_t k)
{
    int16_t a[SMALL][SMALL], b[SMALL][SMALL];
    int32_t sum = 0;

    for (int r = 0; r < SMALL; r++)
        for (int c = 0; c < SMALL; c++) {
            a[r][c] = (int16_t)(k * (r + 1) + c);
            b[r][c] = (int16_t)(r - k * c);
        }
    for (int r = 0; r < SMALL; r++)
        for (int c = 0; c < SMALL; c++) {
            int32_t s = 0;

            for (int n = 0; n < SMALL; n++)
                s += a[r][n] * b[n][c];
            sum += s > 100 ? 10 : s & 0xff;
        }
    return crc16(crc, (uint32_t)sum, 16);
}

uint64_t kernel_mix(void)
{
    uint16_t crc = 0;

    seed = 7;
    for (int pass = 0; pass < 150; pass++) {
        struct node *l = make_list(100);

        for (int n = 0; n < 20; n++) {
            const struct node *f = find(l, (int32_t)(n * 200));

            crc = crc16(crc, f ? (uint32_t)f->value : 0xffffu, 16);
            l = reverse(l);
        }
        l = sort_list(l, 100);
        crc = crc16(crc, (uint32_t)l->key, 16);
        crc = small_matrix(crc, (int16_t)(pass & 15));
        for (int n = 0; n < 10; n++)
            crc = scan_numbers(crc);
    }
    return crc;
}
