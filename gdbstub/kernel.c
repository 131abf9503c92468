/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - Linux's list of modules, read as the guest's kernel has it.
 *
 * gdb knows where the list begins and where the kernel keeps the description
 * of its types (CONFIG_DEBUG_INFO_BTF); those say how a module is laid out:
 * include/linux/module.h, kernel/module/sysfs.c, kernel/module/internal.h.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/modules.h"

/* Memory ------------------------------------------------------------------- */

/* The kernel is mapped in every process, but not on a hart that is about to
 * start, or in firmware that has none. */
size_t kernel_read(struct kernel *k, uint64_t addr, void *data, size_t len)
{
    int harts = debug_harts(k->m);
    size_t n = 0;

    if (k->hart < harts)
        n = debug_read(k->m, k->hart, DEBUG_VIRT, addr, data, len, NULL);
    for (int hart = 0; hart < harts && n < len; hart++) {
        n = debug_read(k->m, hart, DEBUG_VIRT, addr, data, len, NULL);
        if (n == len)
            k->hart = hart;
    }
    return n;
}

bool kernel_number(struct kernel *k, uint64_t addr, size_t len, uint64_t *v)
{
    uint8_t b[8];

    *v = 0;
    if (kernel_read(k, addr, b, len) != len)
        return false;
    for (size_t i = len; i-- > 0;)
        *v = *v << 8 | b[i];
    return true;
}

static bool read_word(struct kernel *k, uint64_t addr, uint64_t *v)
{
    return kernel_number(k, addr, 8, v);
}

/* Printable, without blanks, and ended. */
static bool read_name(struct kernel *k, uint64_t addr, char *name, size_t size)
{
    size_t n = kernel_read(k, addr, name, size - 1), len = strnlen(name, n);

    name[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    return len > 0 && len < n;
}

/* Layout ------------------------------------------------------------------- */

/* How a section is told changed twice: 5.8 and 6.14. */
static bool sections_layout(struct btf *b, struct kernel_layout *l)
{
    static const char attrs[] = "module_sect_attrs",
                      attr[] = "module_sect_attr";

    l->nsections = btf_offset(b, attrs, "nsections");
    l->sections = btf_offset(b, attrs, "attrs");
    l->bin_attrs = btf_offset(b, attrs, "grp.bin_attrs");
    l->size = btf_size(b, attr);
    if (l->nsections >= 0) {
        l->section_address = btf_offset(b, attr, "address");
        l->section_name = btf_offset(b, attr, "battr.attr.name");
        if (l->section_name < 0)
            l->section_name = btf_offset(b, attr, "name");
        return l->sections >= 0 && l->size > 0 && l->section_address >= 0 &&
               l->section_name >= 0;
    }
    if (l->bin_attrs < 0)
        l->bin_attrs = btf_offset(b, attrs, "grp.bin_attrs_new");
    l->section_address = btf_offset(b, "bin_attribute", "private");
    l->section_name = btf_offset(b, "bin_attribute", "attr.name");
    return l->bin_attrs >= 0 && l->section_address >= 0 && l->section_name >= 0;
}

bool kernel_layout_of(struct kernel_layout *l, const void *btf, size_t len)
{
    static const char module[] = "module", symbols[] = "mod_kallsyms";
    struct btf b;
    bool ok = btf_open(&b, btf, len);

    if (ok) {
        l->list = btf_offset(&b, module, "list");
        l->name = btf_offset(&b, module, "name");
        l->state = btf_offset(&b, module, "state");
        l->sect_attrs = btf_offset(&b, module, "sect_attrs");
        l->kallsyms = btf_offset(&b, module, "kallsyms");
        l->symtab = btf_offset(&b, symbols, "symtab");
        l->num_symtab = btf_offset(&b, symbols, "num_symtab");
        l->strtab = btf_offset(&b, symbols, "strtab");
        ok = l->list >= 0 && l->name >= 0 && l->sect_attrs >= 0 &&
             sections_layout(&b, l);
    }
    btf_close(&b);
    return ok;
}

/* Once it can be read it stays as it is, understood or not. */
static bool know_layout(struct kernel *k)
{
    uint64_t len = k->btf_end - k->btf;
    uint8_t *data;

    if (k->tried || !k->btf || k->btf_end <= k->btf || len > BTF_MAX)
        return k->known;
    data = xmalloc((size_t)len);
    if (kernel_read(k, k->btf, data, (size_t)len) == len) {
        k->tried = true;
        k->known = kernel_layout_of(&k->layout, data, (size_t)len);
    }
    free(data);
    return k->known;
}

/* The list ----------------------------------------------------------------- */

/* Where that is not told, it is. */
static bool is_starting(struct kernel *k, uint64_t module)
{
    uint64_t state;

    return k->layout.state < 0 ||
           (kernel_number(k, module + (uint64_t)k->layout.state, 4, &state) &&
            state == MODULE_COMING);
}

/* One that has no sections yet, or none any more, is told to nobody. */
static bool has_sections(struct kernel *k, uint64_t module, uint64_t *attrs)
{
    return read_word(k, module + (uint64_t)k->layout.sect_attrs, attrs) &&
           *attrs;
}

/* One that can be shown. The memory of a module's init is free once that has
 * returned, and goes to one that comes later: those come first in the list. */
static bool read_module(struct kernel *k, uint64_t addr, bool newest,
                        struct module *m)
{
    uint64_t attrs;

    m->addr = addr;
    m->starting = is_starting(k, addr);
    m->init = m->starting || newest;
    return has_sections(k, addr, &attrs) &&
           read_name(k, addr + (uint64_t)k->layout.name, m->name,
                     sizeof m->name) &&
           !strchr(m->name, '/');
}

bool kernel_modules(struct kernel *k, kernel_module_fn *fn, void *opaque)
{
    struct module m = { 0 };
    uint64_t at;

    if (!k->modules || !know_layout(k) || !read_word(k, k->modules, &at))
        return false;
    for (int n = 0; at != k->modules; n++) {
        uint64_t addr = at - (uint64_t)k->layout.list;

        if (n == MODULES_MAX || !read_word(k, at, &at))
            return false;
        if (read_module(k, addr, n == 0, &m) && !fn(opaque, &m))
            break;
    }
    return true;
}

/* Where the n-th section is told; false: there is none. */
static bool find_section(struct kernel *k, uint64_t attrs, uint64_t n,
                         uint64_t *at)
{
    const struct kernel_layout *l = &k->layout;
    uint64_t count, table;

    if (l->nsections >= 0) {
        *at = attrs + (uint64_t)l->sections + n * (uint64_t)l->size;
        return kernel_number(k, attrs + (uint64_t)l->nsections, 4, &count) &&
               n < count;
    }
    return read_word(k, attrs + (uint64_t)l->bin_attrs, &table) && table &&
           read_word(k, table + 8 * n, at) && *at;
}

static bool read_section(struct kernel *k, uint64_t at,
                         struct module_section *s)
{
    uint64_t name;

    return read_word(k, at + (uint64_t)k->layout.section_address, &s->addr) &&
           read_word(k, at + (uint64_t)k->layout.section_name, &name) &&
           read_name(k, name, s->name, sizeof s->name);
}

/* Tools have no addresses for these. */
static bool is_table(const char *name)
{
    return strcmp(name, ".symtab") == 0 || strcmp(name, ".strtab") == 0;
}

bool kernel_sections(struct kernel *k, struct module *m)
{
    uint64_t attrs, at;

    module_fini(m);
    if (!has_sections(k, m->addr, &attrs))
        return false;
    m->section = xcalloc(MODULE_SECTIONS, sizeof *m->section);
    for (uint64_t n = 0; n < MODULE_SECTIONS && find_section(k, attrs, n, &at);
         n++) {
        struct module_section *s = &m->section[m->sections];

        if (!read_section(k, at, s))
            break;
        if (is_table(s->name))
            continue;
        if (m->init || strncmp(s->name, ".init", 5) != 0)
            m->sections++;
    }
    if (!m->sections)
        module_fini(m);
    return m->sections > 0;
}

void module_fini(struct module *m)
{
    free(m->section);
    m->section = NULL;
    m->sections = 0;
}
