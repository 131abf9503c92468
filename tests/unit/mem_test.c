/* SPDX-License-Identifier: MIT */
/* mem_test.c - the physical address space. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"

enum { RAM = 0x80000000u, RAM_SIZE = 0x10000, DEV = 0x1000 };

/* A device that remembers what it was asked. */
static struct {
    uint64_t off[8], value[8];
    unsigned size[8];
    int n;
    bool refuse;
} seen;

static bool note(uint64_t off, unsigned size, uint64_t v)
{
    seen.off[seen.n] = off;
    seen.size[seen.n] = size;
    seen.value[seen.n++] = v;
    return !seen.refuse;
}

static bool probe_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    (void)opaque;
    *v = 0x1111111111111111 * (off + 1);
    return note(off, size, 0);
}

static bool probe_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    (void)opaque;
    return note(off, size, v);
}

/* Byte n of the device is n, whatever the size of the access. */
static bool probe_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    (void)opaque;
    *v = 0;
    for (unsigned i = 0; i < size; i++)
        *v |= (off + i) << (8 * i);
    return note(off, size, 0);
}

static const struct mem_ops any_size = { probe_read, probe_write, probe_peek,
                                         MEM_1 | MEM_2 | MEM_4 | MEM_8 };
static const struct mem_ops word_only = { probe_read, probe_write, probe_peek,
                                          MEM_4 };
static const struct mem_ops split = { probe_read, probe_write, NULL,
                                      MEM_4 | MEM_SPLIT8 };

static struct mem *m;
static struct mem_region *ram;

static void set_up(void)
{
    memset(&seen, 0, sizeof seen);
    m = mem_new();
    ram = mem_add_ram(m, "ram", RAM, RAM_SIZE, MEM_RAM, NULL);
}

static void tear_down(void) { mem_free(m); }

TestSuite(mem, .init = set_up, .fini = tear_down);

static uint64_t read_ok(uint64_t pa, unsigned size)
{
    uint64_t v;

    cr_assert(mem_read(m, pa, size, &v, NULL));
    return v;
}

static bool read_faults(uint64_t pa, unsigned size)
{
    uint64_t v;

    return !mem_read(m, pa, size, &v, NULL);
}

Test(mem, ram_begins_as_zeros_and_keeps_what_is_written)
{
    cr_assert_eq(read_ok(RAM + RAM_SIZE - 8, 8), 0);
    cr_assert(mem_write(m, RAM + 3, 8, 0x1122334455667788, NULL));
    cr_assert_eq(read_ok(RAM + 3, 8), 0x1122334455667788);
}

Test(mem, ram_is_little_endian)
{
    mem_write(m, RAM, 4, 0x44332211, NULL);
    cr_assert_eq(read_ok(RAM, 1), 0x11);
    cr_assert_eq(read_ok(RAM + 2, 2), 0x4433);
}

Test(mem, a_write_stores_only_its_own_bytes)
{
    mem_write(m, RAM, 8, UINT64_MAX, NULL);
    mem_write(m, RAM + 2, 2, 0xabcd0000, NULL);
    cr_assert_eq(read_ok(RAM, 8), 0xffffffff0000ffff);
}

Test(mem, an_access_across_the_end_of_ram_faults)
{
    cr_assert(read_faults(RAM + RAM_SIZE - 4, 8));
    cr_assert_not(mem_write(m, RAM + RAM_SIZE - 1, 2, 0, NULL));
    cr_assert(read_faults(RAM - 1, 2));
}

Test(mem, an_access_to_nothing_faults)
{
    cr_assert(read_faults(0, 1));
    cr_assert(read_faults(UINT64_MAX, 1));
    cr_assert(read_faults(UINT64_MAX - 3, 8));
}

Test(mem, rom_ignores_writes)
{
    mem_add_ram(m, "rom", 0x1000, 0x1000, MEM_ROM, NULL);
    cr_assert(mem_write(m, 0x1000, 4, 7, NULL));
    cr_assert_eq(read_ok(0x1000, 4), 0);
    cr_assert_eq(mem_dma_write(m, 0x1000, "x", 1), 1);
    cr_assert_eq(read_ok(0x1000, 4), 0);
}

Test(mem, a_debugger_may_write_rom)
{
    mem_add_ram(m, "rom", 0x1000, 0x1000, MEM_ROM, NULL);
    cr_assert_eq(mem_poke(m, 0x1000, "abc", 3), 3);
    cr_assert_eq(read_ok(0x1000, 4), 0x636261);
}

Test(mem, sixty_four_gigabytes_cost_nothing_until_touched)
{
    uint64_t base = UINT64_C(1) << 40, size = UINT64_C(64) << 30;

    cr_assert_not_null(mem_add_ram(m, "big", base, size, MEM_RAM, NULL));
    cr_assert(mem_write(m, base + size - 8, 8, 42, NULL));
    cr_assert_eq(read_ok(base + size - 8, 8), 42);
}

Test(mem, regions_that_overlap_are_refused_with_a_sentence)
{
    struct err err;

    cr_assert_null(
        mem_add_ram(m, "other", RAM + 0x8000, 0x10000, MEM_RAM, &err));
    cr_assert_str_eq(err.text, "memory region 'other' overlaps 'ram'");
}

Test(mem, memory_that_the_host_cannot_give_is_refused_with_a_sentence)
{
    struct err err;

    cr_assert_null(mem_add_ram(m, "huge", UINT64_C(1) << 62, UINT64_C(1) << 61,
                               MEM_RAM, &err));
    cr_assert_str_eq(err.text, "cannot set up guest memory 'huge': "
                               "2305843009213693952 bytes");
}

Test(mem, regions_are_found_by_address_and_listed_in_order)
{
    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    cr_assert_str_eq(mem_nth(m, 0)->name, "dev");
    cr_assert_str_eq(mem_nth(m, 1)->name, "ram");
    cr_assert_null(mem_nth(m, 2));
    cr_assert_str_eq(mem_find(m, DEV + 0xf)->name, "dev");
    cr_assert_null(mem_find(m, DEV + 0x10));
    cr_assert_eq(mem_find(m, RAM), ram);
    cr_assert_null(mem_find(m, DEV - 1));
}

Test(mem, a_container_is_listed_but_answers_nothing)
{
    mem_add_device(m, "platform bus", 0x4000000, 0x1000, NULL, NULL);
    cr_assert_str_eq(mem_nth(m, 0)->name, "platform bus");
    cr_assert(mem_nth(m, 0)->nested);
    cr_assert(read_faults(0x4000000, 4));
    cr_assert_null(mem_find(m, 0x4000000));
}

Test(mem, a_device_sees_offset_size_and_value)
{
    bool device = false;

    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    cr_assert(mem_write(m, DEV + 4, 4, 0xaabbccdd11223344, &device));
    cr_assert(device);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(seen.off[0], 4);
    cr_assert_eq(seen.size[0], 4);
    cr_assert_eq(seen.value[0], 0x11223344);
}

Test(mem, a_device_answers_with_no_more_bytes_than_asked)
{
    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    cr_assert_eq(read_ok(DEV + 1, 1), 0x22);
}

Test(mem, ram_is_not_a_device)
{
    uint64_t v;
    bool device = true;

    mem_read(m, RAM, 4, &v, &device);
    cr_assert_not(device);
}

Test(mem, a_size_that_the_device_does_not_know_faults)
{
    mem_add_device(m, "dev", DEV, 0x10, &word_only, NULL);
    cr_assert(read_faults(DEV, 1));
    cr_assert(read_faults(DEV, 8));
    cr_assert_not(mem_write(m, DEV, 2, 0, NULL));
    cr_assert_eq(seen.n, 0);
}

Test(mem, an_access_that_the_device_refuses_faults)
{
    mem_add_device(m, "dev", DEV, 0x10, &word_only, NULL);
    seen.refuse = true;
    cr_assert(read_faults(DEV, 4));
    cr_assert_not(mem_write(m, DEV, 4, 0, NULL));
}

Test(mem, eight_bytes_are_split_low_half_first)
{
    mem_add_device(m, "dev", DEV, 0x10, &split, NULL);
    cr_assert_eq(read_ok(DEV, 8), 0x5555555511111111);
    mem_write(m, DEV + 8, 8, 0x1122334455667788, NULL);
    cr_assert_eq(seen.n, 4);
    cr_assert_eq(seen.off[2], 8);
    cr_assert_eq(seen.value[2], 0x55667788);
    cr_assert_eq(seen.off[3], 12);
    cr_assert_eq(seen.value[3], 0x11223344);
}

Test(mem, a_misaligned_device_access_is_done_in_aligned_pieces)
{
    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    mem_write(m, DEV + 2, 4, 0x44332211, NULL);
    cr_assert_eq(seen.n, 2);
    cr_assert_eq(seen.size[0], 2);
    cr_assert_eq(seen.value[0], 0x2211);
    cr_assert_eq(seen.off[1], 4);
    cr_assert_eq(seen.value[1], 0x4433);
    cr_assert_eq(read_ok(DEV + 1, 2), 0x3322);
}

Test(mem, a_misaligned_access_faults_where_its_pieces_are_unknown)
{
    mem_add_device(m, "dev", DEV, 0x10, &word_only, NULL);
    cr_assert(read_faults(DEV + 2, 4));
    cr_assert_eq(seen.n, 0);
}

Test(mem, an_access_across_the_end_of_a_device_touches_nothing)
{
    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    cr_assert(read_faults(DEV + 0xe, 4));
    cr_assert_eq(seen.n, 0);
}

Test(mem, dma_stops_at_a_hole_and_says_how_far_it_got)
{
    char data[16] = { 0 };

    cr_assert_eq(mem_dma_write(m, RAM + RAM_SIZE - 6, "0123456789", 10), 6);
    cr_assert_eq(mem_dma_read(m, RAM + RAM_SIZE - 6, data, 10), 6);
    cr_assert_str_eq(data, "012345");
}

Test(mem, dma_crosses_from_one_region_into_the_next)
{
    char data[5] = { 0 };

    mem_add_ram(m, "next", RAM + RAM_SIZE, 0x1000, MEM_RAM, NULL);
    cr_assert_eq(mem_dma_write(m, RAM + RAM_SIZE - 2, "abcd", 4), 4);
    cr_assert_eq(mem_dma_read(m, RAM + RAM_SIZE - 2, data, 4), 4);
    cr_assert_str_eq(data, "abcd");
}

Test(mem, dma_does_not_reach_devices)
{
    char data[4];

    mem_add_device(m, "dev", DEV, 0x10, &any_size, NULL);
    cr_assert_eq(mem_dma_read(m, DEV, data, 4), 0);
    cr_assert_eq(mem_dma_write(m, DEV, data, 4), 0);
    cr_assert_eq(seen.n, 0);
}

Test(mem, a_debugger_reads_any_bytes_of_a_device_of_words)
{
    uint8_t data[8] = { 0 };

    mem_add_device(m, "dev", DEV, 0x10, &word_only, NULL);
    cr_assert_eq(mem_peek(m, DEV + 3, data, 6), 6);
    cr_assert_arr_eq(data, ((uint8_t[]){ 3, 4, 5, 6, 7, 8 }), 6);
    for (int i = 0; i < seen.n; i++)
        cr_assert_eq(seen.size[i], 4);
}

Test(mem, a_debugger_stops_where_a_device_cannot_be_peeked)
{
    uint8_t data[8];

    mem_add_device(m, "dev", DEV, 0x10, &split, NULL);
    cr_assert_eq(mem_peek(m, DEV, data, 8), 0);
    cr_assert_eq(mem_poke(m, DEV, data, 8), 0);
}

/* Attention */

struct heard {
    uint64_t pa[4];
    size_t len[4];
    int n;
};

static void hear(void *opaque, uint64_t pa, size_t len)
{
    struct heard *h = opaque;

    h->pa[h->n] = pa;
    h->len[h->n++] = len;
}

Test(mem, a_write_to_a_page_that_wants_attention_is_told_first)
{
    struct heard h = { 0 };

    mem_on_write(m, MEM_ATTN_CODE, hear, &h);
    mem_write(m, RAM + 8, 4, 1, NULL);
    cr_assert_eq(h.n, 0);
    mem_attend(m, RAM + 0x1234, MEM_ATTN_CODE);
    mem_write(m, RAM + 0x1008, 4, 1, NULL);
    cr_assert_eq(h.n, 1);
    cr_assert_eq(h.pa[0], RAM + 0x1008);
    cr_assert_eq(h.len[0], 4);
    mem_unattend(m, RAM + 0x1000, MEM_ATTN_CODE);
    mem_write(m, RAM + 0x1008, 4, 1, NULL);
    cr_assert_eq(h.n, 1);
}

Test(mem, each_listener_hears_of_what_it_asked_for)
{
    struct heard a = { 0 }, b = { 0 }, c = { 0 };

    mem_on_write(m, MEM_ATTN_CODE, hear, &a);
    mem_on_write(m, MEM_ATTN_COPY | MEM_ATTN_TABLE, hear, &b);
    mem_on_write(m, MEM_ATTN_WATCH, hear, &c);
    mem_attend(m, RAM, MEM_ATTN_COPY | MEM_ATTN_CODE);
    cr_assert_eq(mem_attention(m, RAM), MEM_ATTN_COPY | MEM_ATTN_CODE);
    mem_write(m, RAM, 1, 0, NULL);
    cr_assert_eq(a.n, 1);
    cr_assert_eq(b.n, 1);
    cr_assert_eq(c.n, 0);
}

Test(mem, dma_and_debuggers_are_seen_page_by_page)
{
    struct heard h = { 0 };
    char data[0x2000] = { 0 };

    mem_on_write(m, MEM_ATTN_COPY | MEM_ATTN_CODE, hear, &h);
    mem_attend(m, RAM + 0x1000, MEM_ATTN_COPY);
    mem_attend(m, RAM + 0x2000, MEM_ATTN_CODE);
    mem_dma_write(m, RAM + 0xff0, data, 0x1020);
    cr_assert_eq(h.n, 2);
    cr_assert_eq(h.pa[0], RAM + 0x1000);
    cr_assert_eq(h.len[0], 0x1000);
    cr_assert_eq(h.pa[1], RAM + 0x2000);
    cr_assert_eq(h.len[1], 0x10);
    mem_poke(m, RAM + 0x2ffe, data, 4);
    cr_assert_eq(h.n, 3);
    cr_assert_eq(h.len[2], 2);
}

Test(mem, asking_for_attention_flushes_once)
{
    struct heard h = { 0 };

    mem_on_flush(m, hear, &h);
    mem_attend(m, RAM + 0x1234, MEM_ATTN_CODE);
    mem_attend(m, RAM + 0x1000, MEM_ATTN_CODE);
    cr_assert_eq(h.n, 1);
    cr_assert_eq(h.pa[0], RAM + 0x1000);
    cr_assert_eq(h.len[0], MEM_PAGE);
}

Test(mem, attention_outside_of_memory_is_nothing)
{
    mem_attend(m, 0, MEM_ATTN_CODE);
    mem_unattend(m, 0, MEM_ATTN_CODE);
    cr_assert_eq(mem_attention(m, 0), 0);
}

/* Flash-like regions */

Test(mem, romd_reads_memory_or_the_device)
{
    struct heard h = { 0 };
    struct mem_region *r =
        mem_add_romd(m, "flash", 0x2000, 0x1000, &any_size, NULL, NULL);

    mem_on_flush(m, hear, &h);
    r->host[0] = 0x5a;
    cr_assert_eq(read_ok(0x2000, 1), 0x5a);
    mem_set_romd(r, false);
    cr_assert_eq(h.n, 1);
    cr_assert_eq(h.len[0], 0x1000);
    cr_assert_eq(read_ok(0x2000, 1), 0x11);
    mem_set_romd(r, false);
    cr_assert_eq(h.n, 1);
}

Test(mem, romd_writes_always_go_to_the_device)
{
    bool device = false;

    mem_add_romd(m, "flash", 0x2000, 0x1000, &any_size, NULL, NULL);
    cr_assert(mem_write(m, 0x2004, 4, 9, &device));
    cr_assert(device);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(read_ok(0x2004, 4), 0);
}

/* -d invalid_mem */

static char *logged(void (*act)(void))
{
    static char text[512];
    char path[] = "/tmp/mem_test.XXXXXX";
    FILE *f = fdopen(mkstemp(path), "r");

    log_file(path, NULL);
    log_mask = LOG_INVALID_MEM;
    act();
    log_mask = 0;
    log_file(NULL, NULL);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    unlink(path);
    return text;
}

static void read_hole(void) { read_faults(0x50000, 8); }
static void read_byte_of_words(void) { read_faults(DEV, 1); }
static void write_half_of_split(void) { mem_write(m, DEV + 2, 2, 0, NULL); }

Test(mem, invalid_accesses_are_logged_in_the_words_of_qemu)
{
    cr_assert_str_eq(logged(read_hole),
                     "Invalid read at addr 0x50000, size 8, region '(null)', "
                     "reason: rejected\n");
    mem_add_device(m, "riscv.sifive.plic", DEV, 0x10, &word_only, NULL);
    cr_assert_str_eq(
        logged(read_byte_of_words),
        "Invalid read at addr 0x0, size 1, region 'riscv.sifive.plic', "
        "reason: invalid size (min:4 max:4)\n");
}

Test(mem, the_longest_access_of_a_split_device_is_eight)
{
    mem_add_device(m, "goldfish_rtc", DEV, 0x10, &split, NULL);
    cr_assert_str_eq(logged(write_half_of_split),
                     "Invalid write at addr 0x2, size 2, region "
                     "'goldfish_rtc', reason: invalid size (min:4 max:8)\n");
}
