/* SPDX-License-Identifier: MIT */
/*
 * point_args.c - what stands behind break, watch and catch.
 *
 *   break [phys] ADDR FILTERS
 *   watch [phys] ADDR [LEN] [r|w|rw] FILTERS
 *   catch trap|irq [CAUSE,...] FILTERS
 *   catch ecall|priv FILTERS
 *   catch csr NAME [r|w|rw] FILTERS
 *   catch device [NAME|ADDR] [r|w|rw] FILTERS
 *   catch unmapped [r|w|rw] FILTERS
 *
 * FILTERS: hart=N priv=MODES from=MODES to=MODES satp=N if EXPR
 */
#include <ctype.h>
#include <string.h>

#include "monitor/mon.h"
#include "monitor/points.h"

static void skip_blanks(struct point_args *a)
{
    while (isspace((unsigned char)*a->at))
        a->at++;
}

/* How long the present word is. */
static size_t word_len(const struct point_args *a)
{
    return strcspn(a->at, " \t");
}

static bool take_word(struct point_args *a, const char *word)
{
    if (word_len(a) != strlen(word) || strncmp(a->at, word, word_len(a)) != 0)
        return false;
    a->at += word_len(a);
    skip_blanks(a);
    return true;
}

static bool take_prefix(struct point_args *a, const char *prefix)
{
    if (strncmp(a->at, prefix, strlen(prefix)) != 0)
        return false;
    a->at += strlen(prefix);
    return true;
}

static bool unknown_word(struct point_args *a)
{
    return err_set(a->err, "'%.*s' is not understood", (int)word_len(a), a->at);
}

static bool number(struct point_args *a, uint64_t *v)
{
    return expr_parse(a->m, a->hart, &a->at, v, a->err);
}

static bool is_number(const struct point_args *a)
{
    return isdigit((unsigned char)*a->at) || (*a->at && strchr("($~", *a->at));
}

/* Letters of modes: "us". */
static bool modes(struct point_args *a, uint32_t *mask)
{
    static const char letters[] = "us?m";

    *mask = 0;
    for (; *a->at && !isspace((unsigned char)*a->at); a->at++) {
        const char *l = strchr(letters, tolower((unsigned char)*a->at));

        if (!l || *l == '?')
            return err_set(a->err, "modes are letters of u, s and m");
        *mask |= 1u << (l - letters);
    }
    skip_blanks(a);
    return *mask || err_set(a->err, "modes are letters of u, s and m");
}

static bool take_hart(struct point_args *a)
{
    uint64_t n;

    if (!number(a, &n))
        return false;
    if (n >= (uint64_t)debug_harts(a->m) || n > 63)
        return err_set(a->err, "there is no such hart");
    a->p.harts |= UINT64_C(1) << n;
    return true;
}

static bool one_filter(struct point_args *a)
{
    bool has_to =
        a->p.kind & (DEBUG_CATCH_TRAP | DEBUG_CATCH_IRQ | DEBUG_CATCH_PRIV);

    if (take_prefix(a, "hart="))
        return take_hart(a);
    if (take_prefix(a, "priv=") || (has_to && take_prefix(a, "from=")))
        return modes(a, &a->p.privs);
    if (has_to && take_prefix(a, "to="))
        return modes(a, &a->p.to);
    if (take_prefix(a, "satp=")) {
        a->p.by_satp = true;
        return number(a, &a->p.satp);
    }
    if (!take_word(a, "if"))
        return unknown_word(a);
    if (!expr_compile(a->m, a->hart, &a->at, &a->code, a->err))
        return false;
    return *a->at == 0 || unknown_word(a);
}

static bool filters(struct point_args *a)
{
    a->extra = a->at;
    while (*a->at)
        if (!one_filter(a))
            return false;
    return true;
}

/* Which accesses; what stands there already if it does not say. */
static void accesses(struct point_args *a)
{
    uint32_t is = 0;

    if (take_word(a, "rw"))
        is = DEBUG_READ | DEBUG_WRITE;
    else if (take_word(a, "r"))
        is = DEBUG_READ;
    else if (take_word(a, "w"))
        is = DEBUG_WRITE;
    if (is)
        a->p.kind = (a->p.kind & ~(uint32_t)(DEBUG_READ | DEBUG_WRITE)) | is;
}

bool point_args_break(struct point_args *a)
{
    a->p.kind = DEBUG_BREAK;
    a->p.phys = take_word(a, "phys");
    a->p.len = 4;
    return number(a, &a->p.addr) && filters(a);
}

bool point_args_watch(struct point_args *a, uint32_t kind)
{
    a->p.kind = kind;
    a->p.phys = take_word(a, "phys");
    a->p.len = 8;
    if (!number(a, &a->p.addr) || (is_number(a) && !number(a, &a->p.len)))
        return false;
    if (a->p.len == 0)
        return err_set(a->err, "the length must be at least 1");
    accesses(a);
    return filters(a);
}

/* What to catch ------------------------------------------------------------- */

static bool causes(struct point_args *a)
{
    uint64_t n;

    while (is_number(a)) {
        if (!number(a, &n))
            return false;
        if (n > 63)
            return err_set(a->err, "causes are numbers from 0 to 63");
        a->p.addr |= UINT64_C(1) << n;
        if (*a->at != ',')
            break;
        a->at++;
    }
    return true;
}

static bool ecalls(struct point_args *a)
{
    a->p.addr = 1 << 8 | 1 << 9 | 1 << 11; /* from U, S and M */
    return true;
}

static bool nothing(struct point_args *a)
{
    (void)a;
    return true;
}

static bool csr(struct point_args *a)
{
    const struct debug_reg *r;
    char name[32] = "";

    if (is_number(a))
        return number(a, &a->p.addr);
    if (word_len(a) < sizeof name)
        memcpy(name, a->at, word_len(a));
    r = debug_reg_named(a->m, name);
    if (!r || r->csr < 0)
        return err_set(a->err, "there is no such CSR");
    a->p.addr = (uint64_t)r->csr;
    a->at += word_len(a);
    skip_blanks(a);
    return true;
}

static bool everywhere(struct point_args *a)
{
    a->p.len = UINT64_MAX;
    return true;
}

/* By its name in info mtree, or any address of it. */
static bool device(struct point_args *a)
{
    struct debug_region r;
    uint64_t at = 0;
    bool by_addr = is_number(a);

    if (by_addr && !number(a, &at))
        return false;
    for (size_t n = 0; debug_region(a->m, n, &r); n++) {
        if (r.nested || (r.host && strcmp(r.type, "romd") != 0) ||
            !(by_addr ? at - r.base < r.size : take_word(a, r.name)))
            continue;
        a->p.addr = r.base;
        a->p.len = r.size;
        return true;
    }
    return by_addr ? err_set(a->err, "there is no device") : everywhere(a);
}

static const struct {
    const char *word;
    uint32_t kind;
    bool (*what)(struct point_args *a);
} catches[] = {
    { "trap", DEBUG_CATCH_TRAP, causes },
    { "irq", DEBUG_CATCH_IRQ, causes },
    { "ecall", DEBUG_CATCH_TRAP, ecalls },
    { "priv", DEBUG_CATCH_PRIV, nothing },
    { "csr", DEBUG_CATCH_CSR | DEBUG_READ | DEBUG_WRITE, csr },
    { "device", DEBUG_CATCH_DEVICE | DEBUG_READ | DEBUG_WRITE, device },
    { "unmapped", DEBUG_CATCH_UNMAPPED | DEBUG_READ | DEBUG_WRITE, everywhere },
};

bool point_args_catch(struct point_args *a)
{
    const char *text = a->at;

    a->p.len = 1;
    for (size_t n = 0; n < ARRAY_LEN(catches); n++) {
        bool ok;

        if (!take_word(a, catches[n].word))
            continue;
        a->p.kind = catches[n].kind;
        ok = catches[n].what(a);
        if (ok && a->p.kind & (DEBUG_READ | DEBUG_WRITE))
            accesses(a);
        ok = ok && filters(a);
        a->extra = text;
        return ok;
    }
    return err_set(a->err, "trap, irq, ecall, priv, csr, device or unmapped "
                           "can be caught");
}
