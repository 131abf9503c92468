/* SPDX-License-Identifier: MIT */
/*
 * modules.h - what modules.c, kernel.c, btf.c, symfile.c, kofiles.c and
 * unpack.c share: modules of the Linux that runs, as its own debug information
 * says they lie in memory, and their files.
 *
 * All of it is the guest's: numbers, names and lists are hostile.
 */
#ifndef GDBSTUB_MODULES_H
#define GDBSTUB_MODULES_H

#include "gdbstub/stub.h"

enum {
    MODULES_MAX = 1024,        /* in a list; a longer one is none */
    MODULE_SECTIONS = 256,     /* of one */
    MODULE_NAME = 64,          /* MODULE_NAME_LEN is 56 */
    MODULE_SYMBOLS = 1 << 18,  /* of one */
    MODULE_STRINGS = 16 << 20, /* bytes of its symbols' names */
    BTF_MAX = 64 << 20,
    KOFILE_MAX = 256 << 20, /* bytes of a module's file */
    BUILD_ID_MAX = 32,      /* bytes; 20 are usual */
};

/* Types: btf.c ------------------------------------------------------------- */

/* Documentation/bpf/btf.rst. The bytes are borrowed. */
struct btf {
    const uint8_t *types, *strings;
    size_t types_len, strings_len;
    uint32_t *at; /* where in types each type is; there is no type 0 */
    size_t n;
    unsigned budget; /* members that may be looked at still */
};

bool btf_open(struct btf *b, const void *data, size_t len);
void btf_close(struct btf *b);
/* Where in struct type the member is that path, "a.b.c", leads to, in bytes;
 * -1: there is none. Members without a name are looked into. */
int64_t btf_offset(struct btf *b, const char *type, const char *path);
int64_t btf_size(struct btf *b, const char *type);

/* The kernel's own structures: kernel.c ------------------------------------ */

/* Offsets in bytes; -1: this kernel has no such member. */
struct kernel_layout {
    int64_t list, name, state, sect_attrs, kallsyms; /* struct module */
    int64_t nsections, sections, size; /* struct module_sect_attrs */
    int64_t bin_attrs;                 /* the same, since 6.14 */
    int64_t section_name, section_address;
    int64_t symtab, num_symtab, strtab; /* struct mod_kallsyms */
};

enum { MODULE_COMING = 1 }; /* of enum module_state */

struct kernel {
    struct machine *m;
    int hart;         /* whose page tables had the kernel last */
    uint64_t modules; /* the list's head; 0: not known */
    uint64_t btf, btf_end;
    bool tried, known; /* layout */
    struct kernel_layout layout;
};

struct module_section {
    char name[MODULE_NAME];
    uint64_t addr;
};

struct module {
    uint64_t addr; /* of its struct module */
    char name[MODULE_NAME];
    bool starting; /* its init has not returned */
    bool init;     /* nobody else can lie yet where its init was */
    struct module_section *section;
    size_t sections;
};

/* Up to the first byte that no hart's kernel has mapped. */
size_t kernel_read(struct kernel *k, uint64_t addr, void *data, size_t len);
/* A little-endian number of len bytes, at most 8; 0 when it cannot be read. */
bool kernel_number(struct kernel *k, uint64_t addr, size_t len, uint64_t *v);
bool kernel_layout_of(struct kernel_layout *l, const void *btf, size_t len);

typedef bool kernel_module_fn(void *opaque, const struct module *m);
/* Each module that has its sections, without those; fn says whether to go on.
 * False: the list makes no sense. */
bool kernel_modules(struct kernel *k, kernel_module_fn *fn, void *opaque);
/* Its sections, with or without those of init; false: it makes no sense. */
bool kernel_sections(struct kernel *k, struct module *m);
void module_fini(struct module *m);

struct build_id {
    uint8_t bytes[BUILD_ID_MAX];
    size_t len;
};

/* A file with a module's symbols: symfile.c -------------------------------- */

/* The number that the linker gave the module's file, as it lies in memory.
 * False: there is none. */
bool symfile_build_id(struct kernel *k, const struct module *m,
                      struct build_id *id);

/* An ELF file with the module's sections, in order, and what the kernel knows
 * of its symbols. */
void symfile_make(struct kernel *k, const struct module *m, struct buf *out);

/* Files of modules: kofiles.c, unpack.c ------------------------------------ */

/* The file of the module, unpacked; false: there is none with that ID. */
bool kofiles_find(struct kofiles *k, const char *module,
                  const struct build_id *id, struct buf *out);

bool unpack_is_packed(const void *data, size_t len);
/* Appends what is packed; how many bytes of data it took, 0: it is no good or
 * more than max. */
size_t unpack(const void *data, size_t len, struct buf *out, size_t max);

#endif
