/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - CPU models, their switches, and the ISA string that results.
 *
 * A model turns a set of extensions on; switches change it; then whatever
 * depends on something that was switched off goes too, unless it was asked
 * for by name: that is an error. What QEMU has on and ebreak does not
 * implement is simply off.
 */
#include "emu/hart/cpu.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/opts.h"

enum { V = 1, X = 2, P = 4 }; /* models, as ext.def's column has them */

struct ext_row {
    const char *name;
    uint8_t models, have;
};

static const struct ext_row exts[EXT_COUNT] = {
#define EXT(id, name, models, have) [EXT_##id] = { name, models, have },
#include "emu/hart/ext.def"
#undef EXT
};

struct model {
    const char *name;
    uint8_t bit;
    uint8_t levels; /* of page tables that satp can name: 3, 4 or 5 */
    bool pmp;
};

static const struct model models[] = {
    { "max", X, 5, true },
    { "rv64", V, 5, true },
    { "rva22s64", P, 3, false },
};

/* What was said on the command line about each extension. */
enum said { UNSAID, SAID_ON, SAID_OFF };

struct parse {
    struct cpu_config *c;
    const struct model *model;
    uint8_t said[EXT_COUNT];
    uint8_t said_sv[3]; /* sv39, sv48, sv57 */
};

/*
 * e can only be on together with needs. A part also follows its whole: c=off
 * turns zca off, though zca could stand alone.
 */
static const struct {
    uint8_t e, needs;
    bool part_of; /* needs is a part of e */
} depends[] = {
    { EXT_M, EXT_ZMMUL, true },
    { EXT_A, EXT_ZAAMO, true },
    { EXT_A, EXT_ZALRSC, true },
    { EXT_C, EXT_ZCA, true },
    { EXT_B, EXT_ZBA, true },
    { EXT_B, EXT_ZBB, true },
    { EXT_B, EXT_ZBS, true },
    { EXT_F, EXT_ZICSR, false },
    { EXT_D, EXT_F, false },
    { EXT_ZFHMIN, EXT_F, false },
    { EXT_ZFH, EXT_ZFHMIN, false },
    { EXT_ZFA, EXT_F, false },
    { EXT_ZCD, EXT_D, false },
    { EXT_ZCD, EXT_ZCA, false },
    { EXT_ZCB, EXT_ZCA, false },
    { EXT_ZABHA, EXT_ZAAMO, false },
    { EXT_ZACAS, EXT_ZAAMO, false },
    { EXT_ZAWRS, EXT_ZALRSC, false },
    { EXT_ZICNTR, EXT_ZICSR, false },
    { EXT_ZIHPM, EXT_ZICSR, false },
    { EXT_SSCOFPMF, EXT_ZIHPM, false },
    { EXT_SSTC, EXT_ZICSR, false },
};

static void ext_set(uint64_t *ext, unsigned e, bool on)
{
    uint64_t bit = UINT64_C(1) << e % 64;

    ext[e / 64] = on ? ext[e / 64] | bit : ext[e / 64] & ~bit;
}

static void ext_title(char out[32], const char *name)
{
    snprintf(out, 32, "%c%s", toupper((unsigned char)name[0]), name + 1);
}

/* Brings one dependency in order; *changed when something moved. */
static bool depend(struct parse *p, size_t row, bool *changed, struct err *err)
{
    uint64_t *ext = p->c->ext;
    unsigned e = depends[row].e, needs = depends[row].needs;
    char a[32], b[32];

    if (depends[row].part_of && p->said[e] == SAID_OFF &&
        p->said[needs] == UNSAID && ext_on(ext, needs)) {
        ext_set(ext, needs, false);
        *changed = true;
    }
    if (!ext_on(ext, e) || ext_on(ext, needs))
        return true;
    *changed = true;
    if (p->said[e] != SAID_ON) {
        ext_set(ext, e, false);
        return true;
    }
    if (p->said[needs] == UNSAID) {
        ext_set(ext, needs, true);
        return true;
    }
    ext_title(a, exts[e].name);
    ext_title(b, exts[needs].name);
    return err_set(err, "%s extension requires %s extension", a, b);
}

static bool depend_all(struct parse *p, struct err *err)
{
    bool changed = true;

    /* c=on with d brings the compressed loads and stores of doubles. */
    if (p->said[EXT_C] == SAID_ON && p->said[EXT_ZCD] == UNSAID)
        ext_set(p->c->ext, EXT_ZCD, ext_on(p->c->ext, EXT_D));
    if (p->said[EXT_C] == SAID_OFF && p->said[EXT_ZCD] == UNSAID)
        ext_set(p->c->ext, EXT_ZCD, false);
    while (changed) {
        changed = false;
        for (size_t i = 0; i < sizeof depends / sizeof depends[0]; i++)
            if (!depend(p, i, &changed, err))
                return false;
    }
    return true;
}

static bool set_bool(const char *key, const char *value, bool *v,
                     struct err *err)
{
    if (parse_bool(value, v))
        return true;
    return err_set(err, "Parameter '%s' expects 'on' or 'off'", key);
}

static bool set_number(const char *key, const char *value, uint64_t *v,
                       struct err *err)
{
    if (parse_u64(value, v))
        return true;
    return err_set(err, "Parameter '%s' expects a number", key);
}

static bool set_block(const char *key, const char *value, uint16_t *bytes,
                      struct err *err)
{
    uint64_t v;

    if (!set_number(key, value, &v, err))
        return false;
    if (v < 8 || v > 4096 || (v & (v - 1)))
        return err_set(err, "%s has to be a power of 2 from 8 to 4096", key);
    *bytes = (uint16_t)v;
    return true;
}

static bool set_cbom(struct parse *p, const char *k, const char *v,
                     struct err *err)
{
    return set_block(k, v, &p->c->cbom_block, err);
}

static bool set_cbop(struct parse *p, const char *k, const char *v,
                     struct err *err)
{
    return set_block(k, v, &p->c->cbop_block, err);
}

static bool set_cboz(struct parse *p, const char *k, const char *v,
                     struct err *err)
{
    return set_block(k, v, &p->c->cboz_block, err);
}

static bool set_mvendorid(struct parse *p, const char *k, const char *v,
                          struct err *err)
{
    return set_number(k, v, &p->c->mvendorid, err);
}

static bool set_marchid(struct parse *p, const char *k, const char *v,
                        struct err *err)
{
    return set_number(k, v, &p->c->marchid, err);
}

static bool set_mimpid(struct parse *p, const char *k, const char *v,
                       struct err *err)
{
    return set_number(k, v, &p->c->mimpid, err);
}

static bool set_resetvec(struct parse *p, const char *k, const char *v,
                         struct err *err)
{
    return set_number(k, v, &p->c->resetvec, err);
}

static bool set_pmu_mask(struct parse *p, const char *k, const char *v,
                         struct err *err)
{
    uint64_t mask;

    if (!set_number(k, v, &mask, err))
        return false;
    if (mask & 7)
        return err_set(err, "\"pmu-mask\" contains invalid bits (0-2) set");
    if (mask >> 32)
        return err_set(err, "Number of counters exceeds maximum available");
    p->c->pmu_mask = (uint32_t)mask;
    return true;
}

static bool set_pmu_num(struct parse *p, const char *k, const char *v,
                        struct err *err)
{
    uint64_t n;

    if (!set_number(k, v, &n, err))
        return false;
    if (n > 29)
        return err_set(err, "Number of counters exceeds maximum available");
    p->c->pmu_mask = (uint32_t)(((UINT64_C(1) << n) - 1) << 3);
    return true;
}

static bool set_pmp(struct parse *p, const char *k, const char *v,
                    struct err *err)
{
    return set_bool(k, v, &p->c->pmp, err);
}

static bool set_mmu(struct parse *p, const char *k, const char *v,
                    struct err *err)
{
    return set_bool(k, v, &p->c->mmu, err);
}

static bool set_debug(struct parse *p, const char *k, const char *v,
                      struct err *err)
{
    return set_bool(k, v, &p->c->debug, err);
}

static bool set_sv(struct parse *p, const char *k, const char *v,
                   struct err *err)
{
    bool on;

    if (!set_bool(k, v, &on, err))
        return false;
    p->said_sv[(k[2] == '3'   ? 0
                : k[2] == '4' ? 1
                              : 2)] = on ? SAID_ON : SAID_OFF;
    return true;
}

/* rva22u64=on, rva22s64=on: everything that the profile asks for. */
static bool set_profile(struct parse *p, const char *k, const char *v,
                        struct err *err)
{
    bool on;

    if (!set_bool(k, v, &on, err))
        return false;
    for (unsigned e = 0; on && e < EXT_COUNT; e++)
        if (exts[e].models & P && p->said[e] == UNSAID &&
            (k[5] == 's' || strncmp(exts[e].name, "s", 1) != 0))
            ext_set(p->c->ext, e, true);
    return true;
}

static bool set_priv_spec(struct parse *p, const char *k, const char *v,
                          struct err *err)
{
    static const char *const known[] = { "v1.12.0", "v1.13.0", "latest" };

    (void)p;
    (void)k;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(v, known[i]))
            return true;
    return err_set(err, "Unsupported privilege spec version '%s'", v);
}

static bool set_fixed_on(struct parse *p, const char *k, const char *v,
                         struct err *err)
{
    bool on;

    (void)p;
    if (!set_bool(k, v, &on, err))
        return false;
    return on || err_set(err, "'%s' cannot be turned off", k);
}

static bool set_fixed_off(struct parse *p, const char *k, const char *v,
                          struct err *err)
{
    bool on;

    (void)p;
    if (!set_bool(k, v, &on, err))
        return false;
    return !on || err_set(err, "'%s' is not implemented", k);
}

static bool set_vector(struct parse *p, const char *k, const char *v,
                       struct err *err)
{
    (void)p;
    (void)v;
    return err_set(err,
                   "'%s' belongs to the vector extension, which is not "
                   "implemented",
                   k);
}

/* What the letter g stands for. */
static bool set_g(struct parse *p, const char *k, const char *v,
                  struct err *err)
{
    static const uint8_t g[] = { EXT_M, EXT_A,     EXT_F,
                                 EXT_D, EXT_ZICSR, EXT_ZIFENCEI };
    bool on;

    if (!set_bool(k, v, &on, err))
        return false;
    for (size_t i = 0; on && i < sizeof g; i++)
        ext_set(p->c->ext, g[i], true);
    return true;
}

static const struct {
    const char *key;
    bool (*set)(struct parse *p, const char *key, const char *value,
                struct err *err);
} switches[] = {
    { "cbom_blocksize", set_cbom },
    { "cbop_blocksize", set_cbop },
    { "cboz_blocksize", set_cboz },
    { "debug", set_debug },
    { "e", set_fixed_off },
    { "marchid", set_marchid },
    { "mimpid", set_mimpid },
    { "mmu", set_mmu },
    { "mvendorid", set_mvendorid },
    { "pmp", set_pmp },
    { "pmu-mask", set_pmu_mask },
    { "pmu-num", set_pmu_num },
    { "priv_spec", set_priv_spec },
    { "resetvec", set_resetvec },
    { "rva22s64", set_profile },
    { "rva22u64", set_profile },
    { "rva23s64", set_fixed_off },
    { "rva23u64", set_fixed_off },
    { "s", set_fixed_on },
    { "short-isa-string", set_fixed_off },
    { "sv39", set_sv },
    { "sv48", set_sv },
    { "sv57", set_sv },
    { "u", set_fixed_on },
    { "x-misa-w", set_fixed_off },
    { "i", set_fixed_on },
    { "g", set_g },
    { "vlen", set_vector },
    { "elen", set_vector },
    { "vext_spec", set_vector },
    { "rvv_ta_all_1s", set_vector },
    { "rvv_ma_all_1s", set_vector },
    { "rvv_vl_half_avl", set_vector },
};

static bool set_ext(struct parse *p, unsigned e, const char *value,
                    struct err *err)
{
    bool on;

    if (!set_bool(exts[e].name, value, &on, err))
        return false;
    if (on && !exts[e].have)
        return err_set(err, "the '%s' extension is not implemented",
                       exts[e].name);
    p->said[e] = on ? SAID_ON : SAID_OFF;
    ext_set(p->c->ext, e, on);
    return true;
}

static bool set_one(struct parse *p, const char *key, const char *value,
                    struct err *err)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (!strcmp(key, switches[i].key))
            return switches[i].set(p, key, value, err);
    for (unsigned e = 0; e < EXT_COUNT; e++)
        if (!strcmp(key, exts[e].name))
            return set_ext(p, e, value, err);
    return err_set(err, "Property '%s-riscv-cpu.%s' not found", p->model->name,
                   key);
}

/* sv48=on has sv39 with it, sv48=off takes sv57 along. */
static bool choose_levels(struct parse *p, struct err *err)
{
    int levels = p->model->levels;

    for (int i = 0; i < 3; i++)
        if (p->said_sv[i] == SAID_ON && levels < 3 + i)
            levels = 3 + i;
    for (int i = 2; i >= 0; i--) {
        if (p->said_sv[i] == SAID_OFF && levels >= 3 + i)
            levels = 2 + i;
        for (int j = i + 1; p->said_sv[i] == SAID_OFF && j < 3; j++)
            if (p->said_sv[j] == SAID_ON)
                return err_set(err, "sv%d=on needs sv%d=on", 39 + 9 * j,
                               39 + 9 * i);
    }
    if (!p->c->mmu)
        levels = 0;
    p->c->sv39 = levels >= 3;
    p->c->sv48 = levels >= 4;
    p->c->sv57 = levels >= 5;
    return true;
}

static void set_model(struct parse *p)
{
    struct cpu_config *c = p->c;

    *c = (struct cpu_config){
        .pmp = p->model->pmp,
        .mmu = true,
        .debug = true,
        .resetvec = 0x1000,
        .pmu_mask = 0x7fff8,
        .cbom_block = 64,
        .cbop_block = 64,
        .cboz_block = 64,
    };
    snprintf(c->model, sizeof c->model, "%s", p->model->name);
    for (unsigned e = 0; e < EXT_COUNT; e++)
        ext_set(c->ext, e, exts[e].have && exts[e].models & p->model->bit);
}

static bool set_switches(struct parse *p, char *text, struct err *err)
{
    char *save = NULL;

    for (char *word = strtok_r(text, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        char *eq = strchr(word, '=');

        if (!eq)
            return err_set(err, "Expected key=value format, found %s.", word);
        *eq = '\0';
        if (!set_one(p, word, eq + 1, err))
            return err_prefix(err, "can't apply global %s-riscv-cpu.%s=%s",
                              p->model->name, word, eq + 1);
    }
    return true;
}

static bool finish(struct parse *p, struct err *err)
{
    struct cpu_config *c = p->c;

    if (!depend_all(p, err) || !choose_levels(p, err))
        return false;
    /* The name says that blocks have 64 bytes (RVA profiles). */
    if (c->cbom_block != 64 || c->cbop_block != 64 || c->cboz_block != 64)
        ext_set(c->ext, EXT_ZIC64B, false);
    return true;
}

bool cpu_parse(const char *text, struct cpu_config *c, struct err *err)
{
    char *copy = xstrdup(text), *comma = strchr(copy, ',');
    struct parse p = { .c = c };
    bool ok;

    if (comma)
        *comma = '\0';
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        if (!strcmp(copy, models[i].name))
            p.model = &models[i];
    if (!p.model) {
        err_set(err, "unable to find CPU model '%s'", copy);
        free(copy);
        return false;
    }
    set_model(&p);
    ok = (!comma || set_switches(&p, comma + 1, err)) && finish(&p, err);
    free(copy);
    return ok;
}

void cpu_isa(const struct cpu_config *c, struct buf *string, struct buf *list)
{
    buf_str(string, "rv64");
    for (unsigned e = 0; e < EXT_COUNT; e++) {
        const char *name = exts[e].name;

        if (!ext_on(c->ext, e))
            continue;
        buf_printf(string, "%s%s", name[1] ? "_" : "", name);
        buf_add(list, name, strlen(name) + 1);
    }
}

const char *cpu_mmu_type(const struct cpu_config *c)
{
    return c->sv57   ? "riscv,sv57"
           : c->sv48 ? "riscv,sv48"
           : c->sv39 ? "riscv,sv39"
                     : "riscv,none";
}

/* Privileged manual, section 3.1.1: MXL 2 and a bit per letter. */
uint64_t cpu_misa(const struct cpu_config *c)
{
    uint64_t misa = UINT64_C(2) << 62 | 1 << ('s' - 'a') | 1 << ('u' - 'a');

    for (unsigned e = 0; e < EXT_COUNT; e++)
        if (ext_on(c->ext, e) && !exts[e].name[1])
            misa |= UINT64_C(1) << (exts[e].name[0] - 'a');
    return misa;
}

void cpu_help(struct buf *out)
{
    buf_str(out, "Available CPUs:\n");
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        buf_printf(out, "  %s\n", models[i].name);
}
