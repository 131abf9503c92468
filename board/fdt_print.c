/* SPDX-License-Identifier: MIT */
/* fdt_print.c - a device tree as source text, for `monitor fdt`. */
#include <ctype.h>
#include <libfdt.h>
#include <string.h>

#include "emu/base/buf.h"

#include "board/fdt.h"

/* One or more texts, each ended by its 0 byte. */
static bool is_strings(const char *data, int len)
{
    if (len == 0 || data[0] == '\0' || data[len - 1] != '\0')
        return false;
    for (int i = 0; i < len; i++)
        if (data[i] == '\0' ? data[i - 1] == '\0'
                            : !isprint((unsigned char)data[i]))
            return false;
    return true;
}

static void print_strings(const char *data, int len, struct buf *out)
{
    for (int at = 0; at < len; at += (int)strlen(data + at) + 1) {
        buf_str(out, at ? ", \"" : "\"");
        for (const char *p = data + at; *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_chr(out, '\\');
            buf_chr(out, *p);
        }
        buf_chr(out, '"');
    }
}

static void print_value(const char *data, int len, struct buf *out)
{
    bool cells = len % 4 == 0;

    if (is_strings(data, len)) {
        print_strings(data, len, out);
        return;
    }
    buf_chr(out, cells ? '<' : '[');
    for (int at = 0; at < len; at += cells ? 4 : 1) {
        if (at)
            buf_chr(out, ' ');
        if (cells)
            buf_printf(out, "0x%02x", fdt32_ld((const void *)(data + at)));
        else
            buf_printf(out, "%02x", (unsigned char)data[at]);
    }
    buf_chr(out, cells ? '>' : ']');
}

static void indent(struct buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_str(out, "    ");
}

static void print_property(const void *dtb, int at, int depth, struct buf *out)
{
    const char *name;
    int len;
    const char *data = fdt_getprop_by_offset(dtb, at, &name, &len);

    if (!data)
        return;
    indent(out, depth);
    buf_str(out, name);
    if (len > 0) {
        buf_str(out, " = ");
        print_value(data, len, out);
    }
    buf_str(out, ";\n");
}

static void open_node(const void *dtb, int node, int depth, struct buf *out)
{
    const char *name = fdt_get_name(dtb, node, NULL);

    indent(out, depth);
    buf_printf(out, "%s {\n", name && *name ? name : "/");
    for (int at = fdt_first_property_offset(dtb, node); at >= 0;
         at = fdt_next_property_offset(dtb, at))
        print_property(dtb, at, depth + 1, out);
}

static void close_node(int depth, struct buf *out)
{
    indent(out, depth);
    buf_str(out, "};\n");
}

void fdt_print(const void *dtb, uint32_t len, struct buf *out)
{
    int depth = 0, open = 0;

    if (!dtb || fdt_check_full(dtb, len) != 0)
        return;
    buf_str(out, "/dts-v1/;\n\n");
    for (int node = 0; node >= 0 && depth >= 0;
         node = fdt_next_node(dtb, node, &depth)) {
        while (open > depth)
            close_node(--open, out);
        if (open > 0)
            buf_chr(out, '\n');
        open_node(dtb, node, depth, out);
        open = depth + 1;
    }
    while (open > 0)
        close_node(--open, out);
}
