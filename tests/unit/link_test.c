/* SPDX-License-Identifier: MIT */
/* link_test.c - framing, checksums, escapes, run lengths, acknowledgements. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/stub.h"

static struct {
    struct link link;
    struct buf packets; /* each followed by a | */
    struct buf out;
    size_t room;
    int interrupts, stalls, breaks;
    const char *answer;
} t;

static void on_packet(void *opaque, char *data, size_t len)
{
    (void)opaque;
    buf_add(&t.packets, data, len);
    buf_chr(&t.packets, '|');
    if (t.answer)
        link_send(&t.link, t.answer, strlen(t.answer));
}

static void on_interrupt(void *opaque)
{
    (void)opaque;
    t.interrupts++;
}

static size_t on_write(void *opaque, const void *data, size_t len)
{
    size_t n = len < t.room ? len : t.room;

    (void)opaque;
    buf_add(&t.out, data, n);
    t.room -= n;
    return n;
}

static void on_stalled(void *opaque)
{
    (void)opaque;
    t.stalls++;
}

static void on_broken(void *opaque)
{
    (void)opaque;
    t.breaks++;
}

static const struct link_ops ops = { on_packet, on_interrupt, on_write,
                                     on_stalled, on_broken };

static void setup(void)
{
    memset(&t, 0, sizeof t);
    t.room = SIZE_MAX;
    link_init(&t.link, &ops, NULL);
}

static void teardown(void)
{
    link_fini(&t.link);
    buf_free(&t.packets);
    buf_free(&t.out);
}

TestSuite(link, .init = setup, .fini = teardown);

static void feed(const char *s) { link_feed(&t.link, s, strlen(s)); }

static void expect(const char *want, const char *out)
{
    cr_expect_str_eq(buf_text(&t.packets), want);
    cr_expect_str_eq(buf_text(&t.out), out);
}

Test(link, packet_is_acknowledged_and_delivered)
{
    feed("$g#67");
    expect("g|", "+");
}

Test(link, packet_may_be_split_at_every_byte)
{
    static const char packet[] = "+$m80000000,4#55";

    for (size_t cut = 0; cut < sizeof packet - 1; cut++) {
        buf_clear(&t.packets);
        link_feed(&t.link, packet, cut);
        link_feed(&t.link, packet + cut, sizeof packet - 1 - cut);
        cr_expect_str_eq(buf_text(&t.packets), "m80000000,4|");
    }
}

Test(link, packets_may_come_together)
{
    feed("+$g#67+$?#3f$qC#b4");
    expect("g|?|qC|", "+++");
}

Test(link, wrong_checksum_asks_again)
{
    feed("$g#68$g#zz$g#6z");
    expect("", "---");
}

Test(link, checksum_digits_may_be_upper_case)
{
    feed("$k#6B$o#6f$O#4F");
    expect("k|o|O|", "+++");
}

Test(link, checksum_covers_the_escaped_bytes)
{
    feed("$X}\x03#d8"); /* 0x58 + 0x7d + 0x03 */
    expect("X#|", "+");
}

Test(link, minus_sends_the_last_frame_again)
{
    t.answer = "OK";
    feed("$g#67");
    feed("-");
    expect("g|", "+$OK#9a$OK#9a");
}

Test(link, minus_with_nothing_sent_and_stray_plus_are_ignored)
{
    feed("-+-+++");
    expect("", "");
}

Test(link, without_acks_nothing_is_acknowledged)
{
    t.link.no_ack = true;
    feed("$g#67$g#00-");
    expect("g|g|", "");
}

Test(link, interrupt_counts_only_between_packets)
{
    feed("\x03$X\x03#5b\x03");
    cr_expect_eq(t.interrupts, 2);
    expect("X\x03|", "+");
}

Test(link, dollar_starts_anew_in_the_middle_of_a_packet)
{
    feed("$m8000$g#67");
    expect("g|", "+");
}

Test(link, garbage_between_packets_is_ignored)
{
    feed("hello\r\n#00}*$g#67#");
    expect("g|", "+");
}

Test(link, empty_packet_is_a_packet)
{
    feed("$#00");
    expect("|", "+");
}

Test(link, too_long_a_packet_is_an_error_and_takes_no_memory)
{
    size_t len = 1 << 20;
    char *big = malloc(len);

    memset(big, 'a', len);
    feed("$");
    link_feed(&t.link, big, len);
    cr_expect_leq(t.link.in.len, STUB_PACKET);
    feed("#00");
    free(big);
    expect("", "+$E22#a9");
    feed("$g#67");
    cr_expect_str_eq(buf_text(&t.packets), "g|");
}

Test(link, longest_packet_is_delivered)
{
    char *big = malloc(STUB_PACKET);

    memset(big, 'a', STUB_PACKET);
    feed("$");
    link_feed(&t.link, big, STUB_PACKET);
    feed("#00"); /* 0x61 * 0x20000 is 0 in a byte */
    free(big);
    cr_expect_eq(t.packets.len, STUB_PACKET + 1);
}

/* What gdb's read_frame does with a run. */
static void expand(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '*') {
            buf_chr(out, s[i]);
            continue;
        }
        i++;
        cr_assert_geq(s[i], ' ');
        cr_assert_leq(s[i], 126);
        cr_assert_neq(s[i], '#');
        cr_assert_neq(s[i], '$');
        for (int n = s[i] - 29; n > 0; n--)
            buf_chr(out, out->data[out->len - 1]);
    }
}

Test(link, runs_of_every_length_expand_to_themselves)
{
    char text[400];

    for (size_t n = 1; n < 300; n++) {
        struct buf back = { 0 };

        memset(text, 'x', sizeof text);
        memset(text + 5, '0', n);
        buf_clear(&t.out);
        link_send(&t.link, text, n + 10);
        expand(&back, t.out.data + 1, t.out.len - 4);
        cr_assert_eq(back.len, n + 10);
        cr_assert_arr_eq(back.data, text, n + 10);
        buf_free(&back);
    }
}

Test(link, run_lengths_are_used)
{
    link_send(&t.link, "00000000", 8);
    cr_expect_str_eq(buf_text(&t.out), "$0*\"00#dc");
}

Test(link, escape_marks_what_the_framing_uses)
{
    struct buf b = { 0 };

    link_escape(&b, "a#b$c}d*e", 9);
    cr_expect_str_eq(buf_text(&b), "a}\x03"
                                   "b}\x04"
                                   "c}]d}\ne");
    buf_free(&b);
}

Test(link, what_is_not_taken_is_queued_and_sent_later)
{
    t.room = 3;
    link_send(&t.link, "hello", 5);
    cr_expect_str_eq(buf_text(&t.out), "$he");
    cr_expect_eq(t.stalls, 1);
    t.room = SIZE_MAX;
    link_flush(&t.link);
    cr_expect_str_eq(buf_text(&t.out), "$hello#14");
}

Test(link, client_that_never_reads_is_dropped_once)
{
    char text[4096];

    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof text; i += 2)
        text[i] = 'b';
    t.room = 0;
    for (int i = 0; i < 10000; i++)
        link_send(&t.link, text, sizeof text);
    cr_expect_eq(t.breaks, 1);
    cr_expect_eq(t.link.queue.cap, 0);
}

Test(link, new_client_starts_from_nothing)
{
    t.link.no_ack = true;
    feed("$m800");
    link_reset(&t.link);
    feed("0#00$g#67");
    expect("g|", "+");
}
