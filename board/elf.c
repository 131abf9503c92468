/* SPDX-License-Identifier: MIT */
/* elf.c - ELF programs as segments in physical memory, through libelf. */
#include <gelf.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/image.h"
#include "emu/bus/images.h"

static const struct {
    uint16_t machine;
    const char *name;
} machines[] = {
    { EM_X86_64, "x86-64" },   { EM_386, "32-bit x86" },
    { EM_AARCH64, "AArch64" }, { EM_ARM, "32-bit Arm" },
    { EM_PPC64, "PowerPC64" }, { EM_PPC, "PowerPC" },
    { EM_MIPS, "MIPS" },       { EM_S390, "S/390" },
    { EM_SPARCV9, "SPARC64" }, { 258, "LoongArch" },
};

static const char *machine_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "an unknown architecture";
}

static bool check_header(const GElf_Ehdr *h, struct err *err)
{
    if (h->e_machine != EM_RISCV)
        return err_set(err,
                       "it is for %s (ELF machine %d); this machine "
                       "needs one for 64-bit RISC-V",
                       machine_name(h->e_machine), h->e_machine);
    if (h->e_ident[EI_CLASS] != ELFCLASS64)
        return err_set(err, "it is for 32-bit RISC-V; this machine needs "
                            "one for 64-bit RISC-V");
    if (h->e_ident[EI_DATA] != ELFDATA2LSB)
        return err_set(err, "it is a big-endian ELF file");
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return err_set(err, "it is an ELF file, but not a program");
    return true;
}

static bool segment_fits(const GElf_Phdr *p, size_t file)
{
    return p->p_filesz <= p->p_memsz && p->p_offset <= file &&
           p->p_filesz <= file - p->p_offset &&
           p->p_memsz <= UINT64_MAX - p->p_paddr;
}

struct walk {
    const struct buf *file;
    elf_segment_fn *fn;
    void *opaque;
    struct elf_bounds *bounds;
};

static bool segment(const struct walk *w, int n, const GElf_Phdr *p,
                    struct err *err)
{
    struct elf_bounds *b = w->bounds;
    if (p->p_type != PT_LOAD || p->p_memsz == 0)
        return true;
    if (!segment_fits(p, w->file->len))
        return err_set(err, "ELF program header %d is damaged", n);
    if (p->p_paddr < b->low)
        b->low = p->p_paddr;
    if (p->p_paddr + p->p_memsz > b->high)
        b->high = p->p_paddr + p->p_memsz;
    w->fn(w->opaque, n, p->p_paddr, w->file->data + p->p_offset, p->p_filesz,
          p->p_memsz);
    return true;
}

static bool walk(Elf *elf, const struct walk *w, struct err *err)
{
    GElf_Ehdr header;
    size_t count;
    if (!gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &count) != 0)
        return err_set(err, "it is a damaged ELF file");
    if (!check_header(&header, err))
        return false;
    *w->bounds = (struct elf_bounds){ header.e_entry, UINT64_MAX, 0 };
    for (size_t n = 0; n < count; n++) {
        GElf_Phdr p;
        if (!gelf_getphdr(elf, (int)n, &p))
            return err_set(err, "it is a damaged ELF file");
        if (!segment(w, (int)n, &p, err))
            return false;
    }
    if (w->bounds->high == 0)
        return err_set(err, "it is an ELF file with nothing to load");
    return true;
}

bool elf_is(const struct buf *b)
{
    return b->len >= SELFMAG && !memcmp(b->data, ELFMAG, SELFMAG);
}

bool elf_segments(const struct buf *b, elf_segment_fn *fn, void *opaque,
                  struct elf_bounds *bounds, struct err *err)
{
    elf_version(EV_CURRENT);
    struct walk w = { b, fn, opaque, bounds };
    Elf *elf = elf_memory(b->data, b->len);
    bool ok =
        elf ? walk(elf, &w, err) : err_set(err, "it is a damaged ELF file");
    elf_end(elf);
    return ok;
}

/* For debuggers -------------------------------------------------------------- */

static bool is_name(const char *name)
{
    if (*name == '\0' || *name == '$' || *name == '.')
        return false; /* marks of the assembler's own */
    for (; *name; name++)
        if (*name <= ' ' || *name > '~')
            return false;
    return true;
}

static void add_symbol(Elf *elf, size_t strings, const GElf_Sym *sym,
                       struct image *to)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    const char *name;

    if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE ||
        (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE))
        return;
    name = elf_strptr(elf, strings, sym->st_name);
    if (name && is_name(name))
        image_add_symbol(to, name, sym->st_value, sym->st_size);
}

static void add_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                        struct image *to)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym sym;

    for (int n = 0; data && gelf_getsym(data, n, &sym); n++)
        add_symbol(elf, header->sh_link, &sym, to);
}

void elf_describe(const struct buf *b, struct image *to)
{
    Elf *elf = elf_memory(b->data, b->len);
    Elf_Scn *section = NULL;
    size_t count = 0;
    GElf_Shdr header;
    GElf_Phdr p;

    if (elf && elf_getphdrnum(elf, &count) != 0)
        count = 0;
    for (size_t n = 0; n < count; n++)
        if (gelf_getphdr(elf, (int)n, &p) && p.p_type == PT_LOAD &&
            p.p_memsz > 0)
            image_add_segment(to, p.p_vaddr, p.p_paddr, p.p_memsz);
    while (elf && (section = elf_nextscn(elf, section)))
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            add_symbols(elf, section, &header, to);
    elf_end(elf);
}
