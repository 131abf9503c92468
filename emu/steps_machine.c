/* SPDX-License-Identifier: MIT */
/*
 * steps_machine.c - the steps that make the machine: clocks, memory map,
 * harts, board, images, the first reset.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/files.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/opts.h"

#include "board/boot.h"
#include "board/fdt.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "emu/debug.h"
#include "emu/hart/hart.h"
#include "emu/hart/insn.h"
#include "emu/hart/interp.h"
#include "emu/hart/points.h"
#include "emu/machine/recording.h"
#include "emu/machine/run.h"
#include "emu/machine/semihost.h"
#include "emu/steps.h"
#include "emu/trans/trans.h"

/* Clocks, machine, memory --------------------------------------------------------- */

bool step_clocks(struct init *in, struct err *err)
{
    (void)err;
    in->m.devs = devs_new();
    in->files =
        in->o->recording ? recording_files(in->o->recording) : files_new();
    return run_init(&in->m, &in->o->clock);
}

void undo_clocks(struct init *in)
{
    devs_free(in->m.devs);
    in->m.devs = NULL;
    run_fini(&in->m);
    if (!in->o->recording)
        files_free(in->files);
}

bool step_machine(struct init *in, struct err *err)
{
    (void)err;
    insn_init();
    in->m.points = points_new();
    return true;
}

bool step_memory_map(struct init *in, struct err *err)
{
    (void)err;
    in->m.mem = mem_new();
    in->m.roms = roms_new(in->m.mem);
    in->rooms =
        (struct board_rooms){ in->m.loop, in->m.mem, in->m.devs, in->m.tap };
    return true;
}

void undo_memory_map(struct init *in)
{
    roms_free(in->m.roms);
    mem_free(in->m.mem);
    points_free(in->m.points);
    in->m.roms = NULL;
    in->m.mem = NULL;
    in->m.points = NULL;
}

bool step_accelerator(struct init *in, struct err *err)
{
    (void)in;
    (void)err;
    return true; /* options.c refused all but the interpreter */
}

bool step_preconfig_exit(struct init *in, struct err *err)
{
    (void)in;
    (void)err;
    return true; /* from here on the machine's properties are fixed */
}

/* Board ------------------------------------------------------------------------------ */

static void guest_shutdown(void *opaque, bool panic, int code)
{
    run_request_shutdown(
        opaque, panic ? SHUTDOWN_GUEST_PANIC : SHUTDOWN_GUEST_SHUTDOWN, code);
}

static void guest_reset(void *opaque)
{
    run_request_reset(opaque, SHUTDOWN_GUEST_RESET);
}

/* -L first, then where packages put firmware. */
static void find_data_dirs(const struct init *in, struct virt_config *c)
{
    static const char *const builtin[] = { BOOT_DATA_DIRS, NULL };
    size_t n = 0, max = sizeof c->data_dirs / sizeof c->data_dirs[0] - 1;

    for (size_t d = 0; d < in->o->data_dirs.n && n < max; d++)
        c->data_dirs[n++] = in->o->data_dirs.s[d];
    for (size_t d = 0; builtin[d] && n < max; d++)
        c->data_dirs[n++] = builtin[d];
    c->data_dirs[n] = NULL;
}

static void describe_harts(const struct init *in, struct virt_config *c)
{
    const struct cpu_config *cpu = &in->o->cpu_config;

    c->harts = in->o->harts;
    c->mmu_type = cpu_mmu_type(cpu);
    c->cbom_block = ext_on(cpu->ext, EXT_ZICBOM) ? cpu->cbom_block : 0;
    c->cbop_block = ext_on(cpu->ext, EXT_ZICBOP) ? cpu->cbop_block : 0;
    c->cboz_block = ext_on(cpu->ext, EXT_ZICBOZ) ? cpu->cboz_block : 0;
    c->resetvec = cpu->resetvec;
    c->has_supervisor = cpu->mmu;
}

bool step_board(struct init *in, struct err *err)
{
    const struct options *o = in->o;
    struct buf isa = { 0 }, list = { 0 };
    struct virt_config c = {
        .ram_size = o->ram_size,
        .aclint = o->aclint,
        .virtio_legacy = o->virtio_legacy,
        .files = in->files,
        .bios = o->bios,
        .kernel = o->kernel,
        .initrd = o->initrd,
        .append = o->append,
        .dtb = o->dtb,
        .pflash = { o->pflash[0], o->pflash[1] },
        .pflash_readonly = { o->pflash_readonly[0], o->pflash_readonly[1] },
        .rtc_base_ns = steps_date(in),
        .rng_seed = o->seed,
    };

    (void)err;
    find_data_dirs(in, &c);
    describe_harts(in, &c);
    cpu_isa(&o->cpu_config, &isa, &list);
    c.isa = in->isa = isa.data;
    c.isa_list = in->isa_list = list.data;
    c.isa_list_len = (uint32_t)list.len;
    in->board = c;
    return true;
}

void undo_board(struct init *in)
{
    free(in->isa);
    free(in->isa_list);
}

bool step_numa(struct init *in, struct err *err)
{
    (void)in;
    (void)err;
    return true; /* one node: all of memory, all harts */
}

bool step_memory_backend(struct init *in, struct err *err)
{
    if (in->o->ram_size > UINT64_MAX / 2)
        return err_set(err, "cannot allocate guest memory");
    return true;
}

bool step_accel_interfaces(struct init *in, struct err *err)
{
    const struct options *o = in->o;
    struct trans_config c = { .cache = o->tb_size,
                              .hot = (uint32_t)o->hot,
                              .perf_map = o->perfmap };
    struct err none;

    in->m.tables = tables_new(in->m.mem);
    in->m.blocks = blocks_new(in->m.mem, &o->cpu_config);
    if (o->accel == ACCEL_INTERP || o->one_insn)
        return true;
    in->m.trans = trans_new(in->m.blocks, in->m.points, &c, &none);
    if (!in->m.trans && o->accel == ACCEL_TCG)
        return err_set(err, "-accel tcg: %s", none.text);
    return true;
}

void undo_accel_interfaces(struct init *in)
{
    trans_free(in->m.trans);
    blocks_free(in->m.blocks);
    tables_free(in->m.tables);
    in->m.tables = NULL;
    in->m.trans = NULL;
    in->m.blocks = NULL;
}

/* Harts ------------------------------------------------------------------------------- */

static void wire_hart(struct init *in, int n, struct hart *h)
{
    struct virt_wires *w = &in->wires;

    w->msip[n] = hart_irq(h, IRQ_MSI);
    w->mtip[n] = hart_irq(h, IRQ_MTI);
    w->meip[n] = hart_irq(h, IRQ_MEI);
    w->seip[n] = hart_irq(h, IRQ_SEI);
    w->ssip[n] = hart_irq(h, IRQ_SSI);
    in->n_wires += 5;
}

/* SYS_GET_CMDLINE: arg= values, or what the kernel was given. */
static void semihost_cmdline(const struct options *o, struct buf *out)
{
    for (size_t n = 0; n < o->semihosting_args.n; n++)
        buf_printf(out, "%s%s", n ? " " : "", o->semihosting_args.s[n]);
    if (!o->semihosting_args.n && o->kernel)
        buf_printf(out, "%s%s%s", o->kernel, o->append ? " " : "",
                   o->append ? o->append : "");
}

static void join_semihosting(struct init *in, struct hart *h)
{
    struct buf cmdline = { 0 };
    struct semihost_config c = { .target = in->o->semihosting_target,
                                 .console = in->semihost_console,
                                 .user = in->o->semihosting_user };

    semihost_cmdline(in->o, &cmdline);
    c.cmdline = buf_text(&cmdline);
    semihost_join(&in->m, h, &c);
    buf_free(&cmdline);
}

bool step_harts(struct init *in, struct err *err)
{
    (void)err;
    struct hart_wiring w = { in->m.mem,    in->m.loop,   in->m.devs,
                             in->m.points, in->m.blocks, in->m.tables };

    for (int n = 0; n < in->o->harts; n++) {
        struct hart *h = hart_new((uint64_t)n, &in->o->cpu_config, &w);

        run_add_hart(&in->m, h);
        wire_hart(in, n, h);
        if (in->o->semihosting)
            join_semihosting(in, h);
    }
    in->wires.finisher =
        (struct finisher_hooks){ guest_shutdown, guest_reset, &in->m };
    in->wires.serial0 = in->serial0;
    in->virt = virt_new(&in->rooms, in->m.roms, &in->board, &in->wires);
    return true;
}

void undo_harts(struct init *in)
{
    if (in->virt)
        virt_free(in->virt);
    in->virt = NULL;
    semihost_fini(&in->m);
}

bool step_clint(struct init *in, struct err *err)
{
    (void)err;
    virt_add_clint(in->virt);
    for (int n = 0; n < in->m.harts; n++)
        hart_time(in->m.hart[n], clint_mtime, clint_mtime_to_ns,
                  virt_clint(in->virt));
    return true;
}

bool step_dram(struct init *in, struct err *err)
{
    if (!virt_add_dram(in->virt, err))
        return false;
    for (int n = 0; in->m.trans && n < in->o->harts; n++)
        trans_add_hart(in->m.trans, in->m.hart[n]);
    return true;
}

bool step_mrom(struct init *in, struct err *err)
{
    (void)err;
    virt_add_mrom(in->virt);
    return true;
}

static void show_irqs(void *opaque, struct buf *out)
{
    struct init *in = opaque;

    for (int n = 0; n < in->m.harts; n++)
        buf_printf(out,
                   "hart%d: mip %04" PRIx64 " mie %04" PRIx64
                   " mideleg %04" PRIx64 "\n",
                   n, in->m.hart[n]->mip, in->m.hart[n]->mie,
                   in->m.hart[n]->mideleg);
    virt_show_irqs(in->virt, out);
}

static void show_fdt(void *opaque, struct buf *out)
{
    struct init *in = opaque;
    uint32_t len;
    const void *dtb = virt_fdt(in->virt, &len);

    fdt_print(dtb, len, out);
}

bool step_devices(struct init *in, struct err *err)
{
    in->m.show_fdt = show_fdt;
    in->m.show_fdt_opaque = in;
    in->m.show_irqs = show_irqs;
    in->m.show_irqs_opaque = in;
    return virt_add_devices(in->virt, err);
}

/* Images ------------------------------------------------------------------------------- */

static bool loader_options(struct opts *p, struct virt_loader *l,
                           struct err *err)
{
    uint64_t len, cpu;

    opts_get(p, "driver", NULL);
    l->file = opts_get(p, "file", NULL);
    l->has_addr = opts_has(p, "addr");
    if (!opts_number(p, "addr", 0, &l->addr, err) ||
        !opts_number(p, "data", 0, &l->data, err) ||
        !opts_number(p, "data-len", 0, &len, err) ||
        !opts_number(p, "cpu-num", UINT32_MAX, &cpu, err) ||
        !opts_bool(p, "force-raw", false, &l->force_raw, err) ||
        !opts_done(p, err))
        return false;
    if (!l->file && (!len || len > 8))
        return err_set(err, "Both data and data-len must be specified");
    l->data_len = (unsigned)len;
    l->cpu = cpu == UINT32_MAX ? -1 : (int)cpu;
    return true;
}

static bool add_loader(struct init *in, const char *text, struct err *err)
{
    struct opts p = { 0 };
    struct virt_loader l = { 0 };
    uint64_t entry = 0;
    bool ok =
        opts_parse(&p, text, "driver", err) && loader_options(&p, &l, err);

    if (ok && l.cpu >= in->m.harts)
        ok = err_set(err, "Specified boot CPU#%d is nonexistent", l.cpu);
    ok = ok && virt_load(in->virt, &l, &entry, err);
    if (ok && l.cpu >= 0)
        in->m.hart[l.cpu]->cpu.resetvec = entry;
    opts_free(&p);
    return ok || err_prefix(err, "-device %s", text);
}

static bool read_whole(struct init *in, const char *path, struct buf *b,
                       struct err *err)
{
    return files_read(in->files, path, b, err) ||
           err_prefix(err, "can't load %s", path);
}

static bool add_fw_cfg(struct init *in, const char *text, struct err *err)
{
    struct opts p = { 0 };
    struct buf data = { 0 };
    bool ok = opts_parse(&p, text, "name", err);
    const char *name = opts_get(&p, "name", NULL);
    const char *file = opts_get(&p, "file", NULL);
    const char *string = opts_get(&p, "string", NULL);

    if (ok && !name)
        ok = err_set(err, "invalid argument(s)");
    if (ok && !file == !string)
        ok = err_set(err, "one of file= and string= is needed");
    ok = ok && opts_done(&p, err);
    if (ok && name && strncmp(name, "opt/", 4) != 0)
        fprintf(stderr,
                "ebreak: -fw_cfg %s: warning: externally provided "
                "fw_cfg item names should be prefixed with \"opt/\"\n",
                text);
    if (ok && string)
        buf_str(&data, string);
    ok = ok && (!file || read_whole(in, file, &data, err)) &&
         virt_fwcfg_file(in->virt, name, data.data, (uint32_t)data.len, err);
    buf_free(&data);
    opts_free(&p);
    return ok || err_prefix(err, "-fw_cfg %s", text);
}

bool step_cli_devices(struct init *in, struct err *err)
{
    for (size_t n = 0; n < in->o->fw_cfgs.n; n++)
        if (!add_fw_cfg(in, in->o->fw_cfgs.s[n], err))
            return false;
    for (size_t n = 0; n < in->o->loaders.n; n++)
        if (!add_loader(in, in->o->loaders.s[n], err))
            return false;
    return true;
}

static bool dump_dtb(struct init *in, struct err *err)
{
    const char *path = in->o->dumpdtb;
    uint32_t len;
    const void *fdt = virt_fdt(in->virt, &len);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(fdt, 1, len, f) == len;

    if (f && fclose(f))
        ok = false;
    in->done = true;
    return ok ||
           err_set(err, "Failed to write DTB to %s: %s", path, strerror(errno));
}

bool step_roms(struct init *in, struct err *err)
{
    return virt_load_images(in->virt, err) &&
           (!in->o->dumpdtb || dump_dtb(in, err)) &&
           roms_check(in->m.roms, err);
}
