/* SPDX-License-Identifier: MIT */
/* opts.c - QEMU's "-opt key=value,key=value". */
#include "emu/base/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

/* Values ------------------------------------------------------------------- */

enum parsed { PARSED, NOT_A_NUMBER, TOO_LARGE };

/* The number text begins with; *end is set behind it. strtoull would take
 * blanks and a sign, which no option means. */
static enum parsed leading_number(const char *text, uint64_t *v, char **end)
{
    if (*text < '0' || *text > '9')
        return NOT_A_NUMBER;
    errno = 0;
    *v = strtoull(text, end, 0);
    return errno == ERANGE ? TOO_LARGE : PARSED;
}

static enum parsed number(const char *text, uint64_t *v)
{
    char *end;
    enum parsed result = leading_number(text, v, &end);

    return result == PARSED && *end != 0 ? NOT_A_NUMBER : result;
}

/* The shift a suffix stands for, -1 when it is none. */
static int suffix_shift(char c)
{
    static const char suffixes[] = "bBkKmMgGtTpPeE";
    const char *at = c != 0 ? strchr(suffixes, c) : NULL;

    return at != NULL ? 10 * (int)((at - suffixes) / 2) : -1;
}

/* Digits behind a point, as a part of 2^shift; rounded. */
static uint64_t fraction(const char *digits, int shift)
{
    double part = 0, weight = 0.1;

    for (; *digits >= '0' && *digits <= '9'; digits++) {
        part += weight * (*digits - '0');
        weight /= 10;
    }
    return (uint64_t)(part * (double)(UINT64_C(1) << shift) + 0.5);
}

/* A decimal number may have a fraction if its unit is larger than a byte, and
 * begins with 0 without being octal: "1.5G", "010M". */
static enum parsed size(const char *text, char unit, uint64_t *v)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (*text < '0' || *text > '9')
        return NOT_A_NUMBER;
    errno = 0;
    *v = strtoull(text, &end, hex ? 16 : 10);
    if (errno == ERANGE)
        return TOO_LARGE;
    size_t digits = *end == '.' && !hex ? strspn(end + 1, "0123456789") : 0;
    const char *suffix = digits > 0 ? end + 1 + digits : end;
    int shift = *suffix != 0 ? suffix_shift(*suffix) : suffix_shift(unit);

    if (shift < 0 || (*suffix != 0 && suffix[1] != 0) ||
        (digits > 0 && shift == 0))
        return NOT_A_NUMBER;
    if (*v > UINT64_MAX >> shift)
        return TOO_LARGE;
    *v <<= shift;
    if (digits > 0)
        *v += fraction(end + 1, shift);
    return PARSED;
}

bool parse_u64(const char *text, uint64_t *v)
{
    uint64_t n;

    if (number(text, &n) != PARSED)
        return false;
    *v = n;
    return true;
}

bool parse_size(const char *text, char unit, uint64_t *v)
{
    uint64_t n;

    if (size(text, unit, &n) != PARSED)
        return false;
    *v = n;
    return true;
}

bool parse_bool(const char *text, bool *v)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "on", true },   { "off", false },   { "yes", true }, { "no", false },
        { "true", true }, { "false", false }, { "y", true },   { "n", false },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *v = words[i].value;
            return true;
        }
    }
    return false;
}

/* The list ----------------------------------------------------------------- */

/* Takes ownership of key and value. */
static void append(struct opts *o, char *key, char *value)
{
    o->opt = xrealloc(o->opt, (o->n + 1) * sizeof *o->opt);
    o->opt[o->n].key = key;
    o->opt[o->n].value = value;
    o->opt[o->n++].used = false;
}

/* The text up to the next single comma, with double ones made single; *at
 * moves behind that comma. */
static char *next_value(const char **at)
{
    struct buf b = { 0 };
    const char *p = *at;

    for (; *p != 0; p++) {
        if (*p == ',' && *++p != ',')
            break;
        buf_chr(&b, *p);
    }
    *at = p;
    return b.data != NULL ? b.data : xstrdup("");
}

/* A word alone: word=on, and "noword" is word=off. */
static void append_flag(struct opts *o, const char *word, size_t len)
{
    bool off = len > 2 && memcmp(word, "no", 2) == 0;

    if (off)
        append(o, xstrndup(word + 2, len - 2), xstrdup("off"));
    else
        append(o, xstrndup(word, len), xstrdup("on"));
}

bool opts_parse(struct opts *o, const char *text, const char *implied,
                struct err *err)
{
    for (const char *at = text; *at != 0; implied = NULL) {
        size_t len = strcspn(at, "=,");

        if (at[len] == '=') {
            if (len == 0)
                return err_set(err, "Invalid parameter ''");
            char *key = xstrndup(at, len);

            at += len + 1;
            append(o, key, next_value(&at));
        } else if (implied != NULL) {
            append(o, xstrdup(implied), next_value(&at));
        } else {
            if (len > 0)
                append_flag(o, at, len);
            at += len + (at[len] == ',');
        }
    }
    return true;
}

void opts_set(struct opts *o, const char *key, const char *value)
{
    append(o, xstrdup(key), xstrdup(value));
}

void opts_free(struct opts *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free(o->opt[i].key);
        free(o->opt[i].value);
    }
    free(o->opt);
    *o = (struct opts){ 0 };
}

const char *opts_get(struct opts *o, const char *key, const char *def)
{
    const char *value = def;

    for (size_t i = 0; i < o->n; i++) {
        if (strcmp(o->opt[i].key, key) == 0) {
            o->opt[i].used = true;
            value = o->opt[i].value;
        }
    }
    return value;
}

bool opts_has(const struct opts *o, const char *key)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->opt[i].key, key) == 0)
            return true;
    return false;
}

bool opts_bool(struct opts *o, const char *key, bool def, bool *v,
               struct err *err)
{
    const char *text = opts_get(o, key, NULL);

    *v = def;
    return text == NULL || parse_bool(text, v) ||
           err_set(err, "Parameter '%s' expects 'on' or 'off'", key);
}

static bool too_large(const char *key, const char *text, struct err *err)
{
    return err_set(err, "Value '%s' is too large for parameter '%s'", text,
                   key);
}

bool opts_number(struct opts *o, const char *key, uint64_t def, uint64_t *v,
                 struct err *err)
{
    const char *text = opts_get(o, key, NULL);
    enum parsed result = PARSED;

    *v = def;
    if (text != NULL)
        result = number(text, v);
    if (result == TOO_LARGE)
        return too_large(key, text, err);
    return result == PARSED ||
           err_set(err, "Parameter '%s' expects a number", key);
}

bool opts_size(struct opts *o, const char *key, uint64_t def, uint64_t *v,
               struct err *err)
{
    const char *text = opts_get(o, key, NULL);
    enum parsed result = PARSED;

    *v = def;
    if (text != NULL)
        result = size(text, 'b', v);
    if (result == TOO_LARGE)
        return too_large(key, text, err);
    return result == PARSED ||
           err_set(err,
                   "Parameter '%s' expects a non-negative number below 2^64",
                   key);
}

bool opts_done(const struct opts *o, struct err *err)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->opt[i].used)
            return err_set(err, "Invalid parameter '%s'", o->opt[i].key);
    return true;
}
