/* SPDX-License-Identifier: MIT */
/* chardev_telnet_test.c - the telnet protocol. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "emu/base/chardev_telnet.h"

#include "tests/unit/chardev_rig.h"

TestSuite(chardev_telnet, .init = begin, .fini = end, .timeout = 20);

/* What is left of the pieces, "<break>" where one came. */
static const char *filtered(struct telnet *t, const char *bytes, size_t len,
                            size_t piece)
{
    static char out[256];
    size_t n = 0, used;

    for (size_t at = 0; at < len; at += used) {
        char part[256];
        bool got_break;
        size_t size = len - at < piece ? len - at : piece;

        memcpy(part, bytes + at, size);
        size_t left = telnet_filter(t, part, size, &used, &got_break);
        memcpy(out + n, part, left);
        n += left;
        if (got_break)
            n += (size_t)sprintf(out + n, "<break>");
    }
    out[n] = 0;
    return out;
}

Test(chardev_telnet, protocol_is_taken_out_however_it_is_cut)
{
    static const char bytes[] = "a\xff\xfd\x03"
                                "b\xff\xfa\x18\x01xy\xff\xff\xff\xf0"
                                "c\xff\xff\r";
    size_t len = sizeof bytes; /* the 0 pads the CR */

    for (size_t piece = 1; piece <= len; piece++) {
        struct telnet t = { 0 };

        cr_assert_str_eq(filtered(&t, bytes, len, piece), "abc\xff\r");
    }
}

Test(chardev_telnet, break_is_told)
{
    struct telnet t = { 0 };

    cr_assert_str_eq(filtered(&t, "a\xff\xf3z", 4, 4), "a<break>z");
}

Test(chardev_telnet, binary_client_may_send_nul_after_cr)
{
    struct telnet t = { 0 };
    char bytes[] = "\xff\xfb\0\r\0";
    bool got_break;
    size_t used;

    cr_assert_eq(telnet_filter(&t, bytes, 5, &used, &got_break), 2);
}

Test(chardev_telnet, line_greets_filters_and_escapes)
{
    struct front a;
    struct sockaddr_in in = { .sin_family = AF_INET };
    int port = 0, fd = socket(AF_INET, SOCK_STREAM, 0);

    join(&a, brief("telnet:127.0.0.1:0,server,nowait"));
    cr_assert(chardev_is_tty(a.c));
    sscanf(chardev_filename(a.c), "disconnected:telnet:127.0.0.1:%d,server=on",
           &port);
    in.sin_port = htons((uint16_t)port);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    expect(&a, "<open>");
    put(a.c, "\xff.");
    char got[64];
    cr_assert_eq(recv(fd, got, 15, MSG_WAITALL), 15);
    cr_assert_eq(memcmp(got, telnet_hello, sizeof telnet_hello), 0);
    cr_assert_eq(memcmp(got + 12, "\xff\xff.", 3), 0);
    say(fd, "x\xff\xf3y");
    expect(&a, "x<break>y");
    close(fd);
    leave(&a);
}
