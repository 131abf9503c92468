/* SPDX-License-Identifier: MIT */
/*
 * interp.c - blocks of predecoded instructions: build, find, forget.
 *
 * Blocks lie one behind the other in an arena and are never freed one by one:
 * a block whose page was written leaves the lists, and its first instruction
 * becomes op_stale, which sends whoever still knows the block to look again.
 * So a store into the page of the block that is running needs no special
 * care. When the arena is full everything is forgotten at once; that happens
 * only when a block is built, and then none is running.
 */
#include "emu/hart/interp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/trap.h"

enum {
#ifdef HOSTILE
    ARENA = 4 << 10,
    HASH_BITS = 1,
    PAGE_BITS = 1,
#else
    ARENA = 64 << 20,
    HASH_BITS = 17,
    PAGE_BITS = 12,
#endif
    REACH = 3 * BLOCK_INSNS, /* bytes */
};

/*
 * The blocks of some pages, and which 64th parts of a page any of them has
 * code in: data beside code is told apart at a glance.
 */
struct page_list {
    struct block *first;
    struct block *across; /* those whose second half is in one of them */
    uint64_t parts;
};

struct blocks {
    struct mem *mem;
    uint64_t ext[sizeof((struct cpu_config *)0)->ext / sizeof(uint64_t)];
    struct hart **hart;
    size_t harts;
    char *arena;
    size_t used;
    struct block *scratch;
    blocks_drop_fn *on_drop;
    void *on_drop_opaque;
    struct blocks_info info;
    struct block *hash[1 << HASH_BITS];    /* by pa */
    struct page_list page[1 << PAGE_BITS]; /* by pa's page */
};

/* Ops that are not in insn.def ------------------------------------------- */

OP(illegal) { return trap(h, i, CAUSE_ILLEGAL, i->raw); }

OP(block_end)
{
    h->pc = PC;
    return i - 1;
}

/* The first instruction of a block that is no more. */
static OP(stale)
{
    jump_entry(h, h->pc)->gen = 0;
    return i - 1;
}

op_fn *const interp_op[OP_COUNT] = {
    [OP_illegal] = op_illegal,
    [OP_block_end] = op_block_end,
#define INSN(name, ...) [OP_##name] = op_##name,
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

/*
 * Without C, instructions are aligned to 4 bytes, and a jump elsewhere traps
 * at the jump (volume I, section 2.2). The jump is done, looked at and, if it
 * went wrong, undone: a check that harts with C do not pay for.
 */
static OP(strict_jump)
{
    struct insn alone[2] = { *i, { .fn = op_block_end } };
    uint64_t pc = h->pc, rd = h->x[i->rd], target;
    uint32_t attention = h->attention;

    alone[1].off = (uint16_t)(i->off + i->len);
    h->attention |= ATTN_CODE; /* no op goes on from a copy: see go_to */
    interp_op[i->op](h, alone);
    h->attention = attention;
    target = h->pc;
    if (!(target & 2))
        return i;
    h->x[i->rd] = rd;
    h->pc = pc;
    return trap(h, i, CAUSE_FETCH_MISALIGNED, target);
}

/* Jump entries ----------------------------------------------------------- */

void jump_keep(struct hart *h, uint64_t pc, struct block *b)
{
    struct jump_entry *e = jump_entry(h, pc);
    bool known = e->pc == pc && e->block == b && e->gen != 0 &&
                 !((e->gen ^ h->fetch_gen) & GEN_KIND) &&
                 !((e->gen | h->fetch_gen) & GEN_RANGE);

    *e = (struct jump_entry){ pc, h->fetch_gen, b,
                              known ? e->code : h->fast.no_code };
}

/* Building ------------------------------------------------------------------ */

static size_t block_size(uint32_t n)
{
    return sizeof(struct block) + (n + 1) * sizeof(struct insn);
}

static uint32_t hash_of(uint64_t pa)
{
    return (uint32_t)(pa / 2 * UINT64_C(0x9e3779b97f4a7c15) >>
                      (64 - HASH_BITS));
}

static uint32_t page_of(uint64_t pa)
{
    return pa / MEM_PAGE % (1 << PAGE_BITS);
}

/* Host memory from which pa is executed, NULL if there is none. */
static const uint8_t *code_at(const struct blocks *b, uint64_t pa)
{
    const struct mem_region *r = mem_find(b->mem, pa);

    if (!r || !mem_reads_host(r))
        return NULL;
    return r->host + (pa - r->base);
}

bool blocks_half(const struct blocks *b, uint64_t pa, uint16_t *half)
{
    const uint8_t *host = code_at(b, pa);

    if (host)
        memcpy(half, host, sizeof *half);
    return host;
}

static bool is_jump(unsigned op)
{
    return op == OP_jal || op == OP_jalr || (op >= OP_beq && op <= OP_bgeu);
}

static struct insn prepare(const struct blocks *b, uint32_t word, uint32_t off)
{
    struct insn i = insn_decode(word, b->ext);

    i.fn = interp_op[i.op];
    i.off = (uint16_t)off;
    if (i.rd == 0 && !insn_writes_fpr(i.op))
        i.rd = X_SINK;
    if (is_jump(i.op) && !ext_on(b->ext, EXT_ZCA))
        i.fn = op_strict_jump;
    return i;
}

static void end_block(struct block *k, uint32_t n, uint32_t off)
{
    k->n = n;
    k->insn[n] = (struct insn){ .fn = op_block_end,
                                .op = OP_block_end,
                                .off = (uint16_t)off };
}

/* How far a block goes on for i's sake: to where it jumps, forward and near. */
static uint32_t reach_of(const struct insn *i)
{
    bool goes = is_jump(i->op) && i->op != OP_jalr && i->imm > 0;

    return goes && i->off + i->imm < REACH ? i->off + (uint32_t)i->imm : 0;
}

/* Is i the last of its block? No jump is (calls are) if a branch before it goes
 * to what is behind it, at off, or farther. */
static bool is_last(const struct insn *i, uint32_t off, uint32_t reach)
{
    bool gone_over = is_jump(i->op) && i->rd == X_SINK && off <= reach;

    return insn_flow(i->op) == FLOW_ENDS && !gone_over;
}

/* Fills k with the instructions in the room bytes at host. */
static void decode_block(const struct blocks *b, struct block *k,
                         const uint8_t *host, uint32_t room)
{
    uint32_t n = 0, off = 0, reach = 0, far;

    while (n < BLOCK_INSNS && off < k->limit) {
        uint32_t word = 0;

        memcpy(&word, host + off, room - off < 4 ? 2 : 4);
        if ((word & 3) == 3 && room - off < 4)
            break;
        k->insn[n] = prepare(b, word, off);
        off += k->insn[n].len;
        far = reach_of(&k->insn[n]);
        if (is_last(&k->insn[n++], off, reach))
            break;
        reach = far > reach ? far : reach;
    }
    end_block(k, n, off);
}

/* Where its block_end stands. */
static uint64_t bytes_of(const struct block *k) { return k->insn[k->n].off; }

/* The parts of its page that [pa, pa+len) touches; len is not 0. */
static uint64_t parts_of(uint64_t pa, uint64_t len)
{
    uint64_t first = pa % MEM_PAGE / 64,
             last = first + (pa % 64 + len - 1) / 64;

    last = last < 64 ? last : 63;
    return ~UINT64_C(0) << first & ~UINT64_C(0) >> (63 - last);
}

static void link_block(struct blocks *b, struct block *k)
{
    struct block **hash = &b->hash[hash_of(k->pa)];
    struct page_list *page = &b->page[page_of(k->pa)];

    k->next = *hash;
    *hash = k;
    k->next_in_page = page->first;
    page->first = k;
    page->parts |= parts_of(k->pa, bytes_of(k));
    b->info.blocks++;
    b->info.insns += k->n;
}

/* To decode a block again is quick; to translate it again is not. */
static size_t room(const struct blocks *b)
{
    return b->on_drop ? ARENA : ARENA / 6;
}

/* An empty one, where the arena is free; it is used up by keep. */
static struct block *begin_block(struct blocks *b, uint64_t pa, uint32_t limit)
{
    struct block *k;

    if (b->used + block_size(BLOCK_INSNS) > room(b))
        blocks_flush(b);
    k = (struct block *)(void *)(b->arena + b->used);
    *k = (struct block){ .pa = pa, .limit = limit };
    return k;
}

static void keep(struct blocks *b, struct block *k)
{
    b->used += block_size(k->n);
    link_block(b, k);
    mem_attend(b->mem, k->pa, MEM_ATTN_CODE);
}

static struct block *build(struct blocks *b, uint64_t pa, uint32_t limit)
{
    const uint8_t *host = code_at(b, pa);
    struct block *k;

    if (!host)
        return NULL;
    k = begin_block(b, pa, limit);
    decode_block(b, k, host, limit == 2 ? 2 : MEM_PAGE - pa % MEM_PAGE);
    if (k->n == 0)
        return NULL;
    keep(b, k);
    return k;
}

struct block *blocks_across(struct blocks *b, uint64_t pa, uint64_t pa2,
                            uint32_t word)
{
    struct page_list *page = &b->page[page_of(pa2)];
    struct block *k = b->hash[hash_of(pa)];

    while (k && (k->pa != pa || k->limit != BLOCK_ACROSS || k->pa2 != pa2))
        k = k->next;
    if (k)
        return k;
    k = begin_block(b, pa, BLOCK_ACROSS);
    k->pa2 = pa2;
    k->insn[0] = prepare(b, word, 0);
    end_block(k, 1, k->insn[0].len);
    keep(b, k);
    k->next_across = page->across;
    page->across = k;
    page->parts |= 1;
    mem_attend(b->mem, pa2, MEM_ATTN_CODE);
    return k;
}

struct block *blocks_get(struct blocks *b, uint64_t pa, uint32_t limit)
{
    for (struct block *k = b->hash[hash_of(pa)]; k; k = k->next)
        if (k->pa == pa && k->limit == limit)
            return k;
    return build(b, pa, limit);
}

struct block *blocks_cut(struct blocks *b, struct block *from, uint32_t n)
{
    struct block *k = b->scratch;

    if (k != from)
        memcpy(k, from, sizeof *k + n * sizeof k->insn[0]);
    end_block(k, n, from->insn[n].off);
    return k;
}

struct block *blocks_single(struct blocks *b, uint32_t word)
{
    struct block *k = b->scratch;

    k->insn[0] = prepare(b, word, 0);
    end_block(k, 1, k->insn[0].len);
    return k;
}

/* Forgetting ------------------------------------------------------------------ */

static void unhash(struct blocks *b, struct block *k)
{
    struct block **p = &b->hash[hash_of(k->pa)];

    while (*p != k)
        p = &(*p)->next;
    *p = k->next;
}

static void leave_pages(struct blocks *b, struct block *k)
{
    struct block **p = &b->page[page_of(k->pa)].first;

    while (*p != k)
        p = &(*p)->next_in_page;
    *p = k->next_in_page;
    if (k->limit != BLOCK_ACROSS)
        return;
    p = &b->page[page_of(k->pa2)].across;
    while (*p != k)
        p = &(*p)->next_across;
    *p = k->next_across;
}

static void drop(struct blocks *b, struct block *k)
{
    unhash(b, k);
    leave_pages(b, k);
    k->insn[0].fn = op_stale;
    k->limit = 0; /* nobody finds it again */
    if (k->code)
        b->on_drop(b->on_drop_opaque, k);
    b->info.blocks--;
    b->info.insns -= k->n;
}

static bool overlaps(uint64_t pa, uint64_t len, uint64_t at, uint64_t bytes)
{
    return at < pa + len && pa < at + bytes;
}

/* Those with code in [pa, pa+len) go; the others in these pages have code in
 * parts; left: some in pa's own. */
static bool drop_blocks(struct blocks *b, uint64_t pa, uint64_t len,
                        uint64_t *parts, bool *left)
{
    bool dropped = false;

    for (struct block *k = b->page[page_of(pa)].first, *next; k; k = next) {
        next = k->next_in_page;
        if (overlaps(pa, len, k->pa, bytes_of(k))) {
            drop(b, k);
            dropped = true;
            continue;
        }
        *left |= k->pa / MEM_PAGE == pa / MEM_PAGE;
        *parts |= parts_of(k->pa, bytes_of(k));
    }
    return dropped;
}

static bool drop_across(struct blocks *b, uint64_t pa, uint64_t len,
                        uint64_t *parts, bool *left)
{
    bool dropped = false;

    for (struct block *k = b->page[page_of(pa)].across, *next; k; k = next) {
        next = k->next_across;
        if (overlaps(pa, len, k->pa2, 2)) {
            drop(b, k);
            dropped = true;
            continue;
        }
        *left |= k->pa2 / MEM_PAGE == pa / MEM_PAGE;
        *parts |= 1;
    }
    return dropped;
}

/* Drops the blocks with code in [pa, pa+len), which lies in one page. */
static bool drop_in_page(struct blocks *b, uint64_t pa, uint64_t len)
{
    struct page_list *page = &b->page[page_of(pa)];
    bool dropped, left = false;
    uint64_t parts = 0;

    if (!(page->parts & parts_of(pa, len)))
        return false;
    dropped = drop_across(b, pa, len, &parts, &left);
    dropped |= drop_blocks(b, pa, len, &parts, &left);
    page->parts = parts;
    if (!left)
        mem_unattend(b->mem, pa, MEM_ATTN_CODE);
    b->info.invalidations += dropped;
    return dropped;
}

/* A hart within a block leaves it before the next instruction. */
static void leave_blocks(struct blocks *b)
{
    for (size_t n = 0; n < b->harts; n++)
        if (b->hart[n]->block)
            b->hart[n]->attention |= ATTN_CODE;
}

static void drop_range(struct blocks *b, uint64_t pa, uint64_t len)
{
    uint64_t end = pa + len;
    bool dropped = false;

    while (pa < end) {
        uint64_t n = MEM_PAGE - pa % MEM_PAGE;

        n = n < end - pa ? n : end - pa;
        if (mem_attention(b->mem, pa) & MEM_ATTN_CODE)
            dropped |= drop_in_page(b, pa, n);
        pa += n;
    }
    if (dropped)
        leave_blocks(b);
}

static void code_written(void *opaque, uint64_t pa, size_t len)
{
    drop_range(opaque, pa, len);
}

/* Flash that no longer reads as memory cannot be executed as such. */
static void flash_switched(void *opaque, uint64_t pa, size_t len)
{
    struct blocks *b = opaque;
    const struct mem_region *r = mem_find(b->mem, pa);

    if (r && r->kind == MEM_ROMD && !r->romd)
        drop_range(b, pa, len);
}

void blocks_flush(struct blocks *b)
{
    memset(b->hash, 0, sizeof b->hash);
    memset(b->page, 0, sizeof b->page);
    for (size_t n = 0; n < b->harts; n++)
        memset(hart_caches(b->hart[n])->jump, 0,
               sizeof hart_caches(b->hart[n])->jump);
    leave_blocks(b);
    if (b->on_drop)
        b->on_drop(b->on_drop_opaque, NULL);
    b->used = 0;
    b->info.blocks = b->info.insns = 0;
    b->info.flushes++;
}

/* --------------------------------------------------------------------------- */

void blocks_on_drop(struct blocks *b, blocks_drop_fn *fn, void *opaque)
{
    b->on_drop = fn;
    b->on_drop_opaque = opaque;
}

void blocks_add_hart(struct blocks *b, struct hart *h)
{
    b->hart = xrealloc(b->hart, (b->harts + 1) * sizeof *b->hart);
    b->hart[b->harts++] = h;
}

struct blocks_info blocks_info(const struct blocks *b)
{
    struct blocks_info info = b->info;

    info.bytes = b->used;
    return info;
}

/* Memory in which no insn straddles two of the host's cache lines. */
static void *lines(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);

    if (!p)
        die("out of memory");
    return p;
}

struct blocks *blocks_new(struct mem *m, const struct cpu_config *cpu)
{
    struct blocks *b = xcalloc(1, sizeof *b);

    insn_init();
    b->mem = m;
    memcpy(b->ext, cpu->ext, sizeof b->ext);
    b->arena = lines(ARENA);
    b->scratch = lines(block_size(BLOCK_INSNS));
    mem_on_write(m, MEM_ATTN_CODE, code_written, b);
    mem_on_flush(m, flash_switched, b);
    return b;
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    free(b->scratch);
    free(b->arena);
    free(b->hart);
    free(b);
}
