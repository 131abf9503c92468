/* SPDX-License-Identifier: MIT */
/*
 * symfile.c - an ELF file made of what the kernel knows of a module: its
 * sections and, with CONFIG_KALLSYMS, its symbols.
 *
 * An object file like the module's own, with sections but nothing in them but
 * the build ID, by which gdb finds a file with debug information: code and data
 * it reads where they are, in memory. How long a section is
 * the kernel does not say; it ends where the next one begins, or with the page
 * in which its last symbol ends.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/modules.h"

#ifndef EM_RISCV
enum { EM_RISCV = 243 };
#endif

enum {
    FIRST = 1, /* section number of the module's first; 0 is none */
    PAGE = 4096,
    REACH = 16 << 20, /* of a section, at most */
    SYMBOL_NAME = 512,
};

struct symfile {
    const struct module *m;
    uint64_t *size;  /* of each section */
    Elf64_Sym *from; /* the kernel's */
    size_t symbols;
    struct buf names; /* of those */
    struct buf symtab, strtab, note;
    unsigned locals;
};

static uint64_t read_field(struct kernel *k, uint64_t addr, int64_t offset,
                           size_t len)
{
    uint64_t v = 0;

    if (offset >= 0)
        kernel_number(k, addr + (uint64_t)offset, len, &v);
    return v;
}

/* Symbols ------------------------------------------------------------------ */

static bool is_defined(const Elf64_Sym *s)
{
    return s->st_shndx != SHN_UNDEF && s->st_shndx < SHN_LORESERVE;
}

/* How far into the kernel's strings its symbols' names reach. */
static size_t names_len(const struct symfile *f)
{
    uint32_t last = 0;

    for (size_t i = 0; i < f->symbols; i++)
        if (f->from[i].st_name > last && f->from[i].st_name < MODULE_STRINGS)
            last = f->from[i].st_name;
    return (size_t)last + SYMBOL_NAME;
}

/* The kernel's table and its strings, as much of them as there is. */
static void read_symbols(struct symfile *f, struct kernel *k)
{
    const struct kernel_layout *l = &k->layout;
    uint64_t table = read_field(k, f->m->addr, l->kallsyms, 8), n, from, names;
    char *text;
    size_t len;

    if (!table || l->num_symtab < 0)
        return;
    n = read_field(k, table, l->num_symtab, 4);
    from = read_field(k, table, l->symtab, 8);
    names = read_field(k, table, l->strtab, 8);
    n = n < MODULE_SYMBOLS ? n : MODULE_SYMBOLS;
    if (!n || !from || !names)
        return;
    f->from = xcalloc((size_t)n, sizeof *f->from);
    f->symbols = kernel_read(k, from, f->from, (size_t)n * sizeof *f->from) /
                 sizeof *f->from;
    len = names_len(f);
    text = xmalloc(len);
    buf_add(&f->names, text, kernel_read(k, names, text, len));
    free(text);
}

/* NULL: it has none that is worth showing. As is_mapping_symbol of Linux has
 * it, "$x", ".L4" and "L0" say something to tools only. */
static const char *name_of(const struct symfile *f, const Elf64_Sym *s)
{
    const char *name = buf_text(&f->names) + s->st_name;
    size_t left, len;

    if (s->st_name >= f->names.len)
        return NULL;
    left = f->names.len - s->st_name;
    len = strnlen(name, left);
    if (!len || len == left || len >= SYMBOL_NAME || *name == '$' ||
        strncmp(name, ".L", 2) == 0 || strncmp(name, "L0", 2) == 0)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return NULL;
    return name;
}

/* The section that addr lies in, or -1: the last that begins before it. */
static int section_of(const struct module *m, uint64_t addr)
{
    int best = -1;

    for (size_t i = 0; i < m->sections; i++)
        if (addr - m->section[i].addr < REACH &&
            (best < 0 || m->section[i].addr >= m->section[best].addr))
            best = (int)i;
    return best;
}

/* What the kernel calls them all: only if there is no better name. */
static bool is_alias(const struct symfile *f, const Elf64_Sym *s,
                     const char *name)
{
    if (strcmp(name, "init_module") != 0 && strcmp(name, "cleanup_module") != 0)
        return false;
    for (size_t i = 1; i < f->symbols; i++)
        if (&f->from[i] != s && f->from[i].st_value == s->st_value &&
            ELF64_ST_TYPE(f->from[i].st_info) == STT_FUNC)
            return true;
    return false;
}

static void add_symbol(struct symfile *f, const Elf64_Sym *s, const char *name)
{
    int n = section_of(f->m, s->st_value);
    Elf64_Sym copy = *s;
    uint64_t end;

    if (n < 0 || f->strtab.len > MODULE_STRINGS)
        return;
    copy.st_value -= f->m->section[n].addr;
    copy.st_shndx = (Elf64_Half)(FIRST + n);
    copy.st_name = (Elf64_Word)f->strtab.len;
    copy.st_size = copy.st_size < REACH ? copy.st_size : 0;
    end = copy.st_value + copy.st_size + 1;
    if (f->size[n] < end)
        f->size[n] = end;
    buf_add(&f->strtab, name, strlen(name) + 1);
    buf_add(&f->symtab, &copy, sizeof copy);
}

/* Local ones come first. */
static void add_symbols(struct symfile *f, bool local)
{
    for (size_t i = 1; i < f->symbols; i++) {
        const Elf64_Sym *s = &f->from[i];
        const char *name = is_defined(s) ? name_of(f, s) : NULL;

        if (name && (ELF64_ST_BIND(s->st_info) == STB_LOCAL) == local &&
            !is_alias(f, s, name))
            add_symbol(f, s, name);
    }
}

/* Sections ----------------------------------------------------------------- */

/* Up to the end of the page, but not into the next section. */
static void end_sections(struct symfile *f)
{
    const struct module *m = f->m;

    for (size_t i = 0; i < m->sections; i++) {
        uint64_t at = m->section[i].addr, end = at + f->size[i];

        end = (end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        for (size_t n = 0; n < m->sections; n++)
            if (m->section[n].addr > at && m->section[n].addr < end)
                end = m->section[n].addr;
        f->size[i] = end > at ? end - at : 0;
    }
}

static bool is_code(const char *name)
{
    return strstr(name, "text") || strcmp(name, ".plt") == 0;
}

static Elf64_Word add_name(struct buf *names, const char *name)
{
    size_t at = names->len;

    buf_add(names, name, strlen(name) + 1);
    return (Elf64_Word)at;
}

static void add_header(struct buf *out, const Elf64_Shdr *h)
{
    buf_add(out, h, sizeof *h);
}

/* Build ID ----------------------------------------------------------------- */

enum { NOTE_HEAD = 16 }; /* three words and "GNU" */

static bool is_build_id(const struct module_section *s)
{
    return strcmp(s->name, ".note.gnu.build-id") == 0;
}

bool symfile_build_id(struct kernel *k, const struct module *m,
                      struct build_id *id)
{
    static const uint8_t start[NOTE_HEAD] = {
        [0] = 4, [8] = NT_GNU_BUILD_ID, [12] = 'G', 'N', 'U'
    };
    uint8_t note[NOTE_HEAD + BUILD_ID_MAX] = { 0 };
    size_t n = 0, len;

    while (n < m->sections && !is_build_id(&m->section[n]))
        n++;
    if (n == m->sections)
        return false;
    len = kernel_read(k, m->section[n].addr, note, sizeof note);
    id->len = note[4];
    note[4] = 0;
    if (len < NOTE_HEAD || memcmp(note, start, NOTE_HEAD) != 0 || id->len < 2 ||
        id->len > len - NOTE_HEAD)
        return false;
    memcpy(id->bytes, note + NOTE_HEAD, id->len);
    return true;
}

/* The note as it was in the module's file, padded. */
static void make_note(struct symfile *f, struct kernel *k)
{
    struct build_id id = { .len = 0 };
    uint32_t head[] = { 4, 0, NT_GNU_BUILD_ID };

    if (!symfile_build_id(k, f->m, &id))
        return;
    head[1] = (uint32_t)id.len;
    buf_add(&f->note, head, sizeof head);
    buf_add(&f->note, "GNU", 4);
    buf_add(&f->note, id.bytes, (id.len + 3) & ~(size_t)3);
}

static void add_module_headers(const struct symfile *f, struct buf *headers,
                               struct buf *names)
{
    for (size_t i = 0; i < f->m->sections; i++) {
        const char *name = f->m->section[i].name;
        Elf64_Shdr h = { .sh_name = add_name(names, name),
                         .sh_type = SHT_NOBITS,
                         .sh_flags = SHF_ALLOC,
                         .sh_offset = sizeof(Elf64_Ehdr),
                         .sh_size = f->size[i],
                         .sh_addralign = 1 };

        if (is_build_id(&f->m->section[i]) && f->note.len) {
            h.sh_type = SHT_NOTE;
            h.sh_size = f->note.len;
            h.sh_addralign = 4;
        }
        h.sh_flags |= is_code(name) ? SHF_EXECINSTR : SHF_WRITE;
        add_header(headers, &h);
    }
}

/* The file ----------------------------------------------------------------- */

static void align(struct buf *out)
{
    while (out->len % 8)
        buf_chr(out, '\0');
}

/* Puts data at the end of out; the header that says so. */
static Elf64_Shdr add_table(struct buf *out, Elf64_Word name,
                            const struct buf *data)
{
    Elf64_Shdr h = { .sh_name = name,
                     .sh_type = SHT_STRTAB,
                     .sh_size = data->len,
                     .sh_addralign = 1 };

    align(out);
    h.sh_offset = out->len;
    buf_add(out, data->data, data->len);
    return h;
}

static void add_file_header(struct buf *out, size_t sections)
{
    static const Elf64_Ehdr start = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                     ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_REL,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_shentsize = sizeof(Elf64_Shdr),
    };
    Elf64_Ehdr h = start;

    h.e_shnum = (Elf64_Half)sections;
    h.e_shstrndx = (Elf64_Half)(sections - 1);
    buf_add(out, &h, sizeof h);
}

static void put_file(struct symfile *f, struct buf *out)
{
    struct buf headers = { 0 }, names = { 0 };
    Elf64_Shdr none = { 0 }, h;
    size_t sections = FIRST + f->m->sections + 3;
    Elf64_Word last;
    uint64_t shoff;

    add_file_header(out, sections);
    buf_add(out, f->note.data, f->note.len);
    add_name(&names, "");
    add_header(&headers, &none);
    add_module_headers(f, &headers, &names);
    h = add_table(out, add_name(&names, ".symtab"), &f->symtab);
    h.sh_type = SHT_SYMTAB;
    h.sh_link = (Elf64_Word)(sections - 2);
    h.sh_info = f->locals;
    h.sh_entsize = sizeof(Elf64_Sym);
    add_header(&headers, &h);
    h = add_table(out, add_name(&names, ".strtab"), &f->strtab);
    add_header(&headers, &h);
    last = add_name(&names, ".shstrtab");
    h = add_table(out, last, &names);
    add_header(&headers, &h);
    align(out);
    shoff = out->len;
    memcpy(out->data + offsetof(Elf64_Ehdr, e_shoff), &shoff, sizeof shoff);
    buf_add(out, headers.data, headers.len);
    buf_free(&headers);
    buf_free(&names);
}

void symfile_make(struct kernel *k, const struct module *m, struct buf *out)
{
    static const Elf64_Sym none;
    struct symfile f = { .m = m };

    f.size = xcalloc(m->sections + 1, sizeof *f.size);
    for (size_t i = 0; i < m->sections; i++)
        f.size[i] = 1;
    buf_chr(&f.strtab, '\0');
    buf_add(&f.symtab, &none, sizeof none);
    read_symbols(&f, k);
    add_symbols(&f, true);
    f.locals = (unsigned)(f.symtab.len / sizeof none);
    add_symbols(&f, false);
    end_sections(&f);
    make_note(&f, k);
    put_file(&f, out);
    free(f.size);
    free(f.from);
    buf_free(&f.names);
    buf_free(&f.symtab);
    buf_free(&f.strtab);
    buf_free(&f.note);
}
