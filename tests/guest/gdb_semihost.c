/* SPDX-License-Identifier: MIT */
/* gdb_semihost.c - semihosting calls, one after the other; M mode. */
typedef unsigned long u64;

char path[256]; /* set by the test */
char data[64], text[] = "some text\n";
long opened, length, left, closed, missing, failure, console;

__attribute__((naked)) static long call(u64 number, const void *block)
{
    (void)number, (void)block;
    __asm__(".option push\n"
            ".option norvc\n"
            ".balign 16\n"
            "slli x0, x0, 0x1f\n"
            "ebreak\n"
            "srai x0, x0, 7\n"
            "ret\n"
            ".option pop\n");
}

static u64 size(const char *s)
{
    u64 n = 0;

    while (s[n])
        n++;
    return n;
}

void done(void) { __asm__ volatile(""); }

void main(void)
{
    call(0x04, "hello from the guest\n");
    console = call(0x01, (u64[]){ (u64) ":tt", 4, 3 });
    call(0x05, (u64[]){ (u64)console, (u64)text, size(text) });
    opened = call(0x01, (u64[]){ (u64)path, 6, size(path) }); /* w+ */
    left = call(0x05, (u64[]){ (u64)opened, (u64)text, size(text) });
    length = call(0x0c, (u64[]){ (u64)opened });
    call(0x0a, (u64[]){ (u64)opened, 5 });
    left += call(0x06, (u64[]){ (u64)opened, (u64)data, sizeof data });
    closed = call(0x02, (u64[]){ (u64)opened });
    missing = call(0x01, (u64[]){ (u64) "/no/such/file", 0, 13 });
    failure = call(0x13, 0);
    done();
    call(0x20, (u64[]){ 0x20026, 3 });
}

__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__("li sp, 0x80100000\n"
            "call main\n"
            "1: j 1b\n");
}
