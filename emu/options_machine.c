/* SPDX-License-Identifier: MIT */
/* options_machine.c - options about the machine and its images. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/opts.h"

#include "emu/options_impl.h"
#include "emu/trans/trans.h"

enum { MIB = 1 << 20 };

static const uint64_t ram_default = UINT64_C(128) * MIB;
static const uint64_t ram_max = UINT64_C(64) * 1024 * MIB;

/* Machine, CPU, memory ------------------------------------------------------- */

static bool accel_name(struct options *o, const char *name, struct err *err)
{
    if (strcmp(name, "tcg") && strcmp(name, "interp"))
        return err_set(err, "invalid accelerator %s", name);
    o->accel = strcmp(name, "tcg") ? ACCEL_INTERP : ACCEL_TCG;
    return true;
}

static bool accel_thread(const char *thread, struct err *err)
{
    if (strcmp(thread, "single") && strcmp(thread, "multi"))
        return err_set(err, "Invalid 'thread' setting %s", thread);
    return true; /* harts take turns: what the guest sees is either */
}

bool do_accel(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    uint64_t tb_size;
    bool ok;

    if (options_wants_help(arg)) {
        buf_str(options_answer(o), "Accelerators supported in ebreak:\n"
                                   "interp\ntcg\n");
        return true;
    }
    ok = opts_parse(&p, arg, "accel", err) &&
         accel_name(o, opts_get(&p, "accel", "tcg"), err) &&
         opts_number(&p, "tb-size", 0, &tb_size, err) &&
         opts_number(&p, "hot", TRANS_HOT, &o->hot, err) &&
         opts_bool(&p, "one-insn-per-tb", false, &o->one_insn, err) &&
         accel_thread(opts_get(&p, "thread", "single"), err);
    opts_get(&p, "split-wx", NULL);
    ok = ok && opts_done(&p, err);
    if (ok && tb_size > 1024)
        ok = err_set(err, "tb-size: at most 1024 MiB");
    if (ok && o->hot > UINT32_MAX)
        ok = err_set(err, "hot: at most %" PRIu32, UINT32_MAX);
    if (ok)
        o->tb_size = tb_size << 20;
    opts_free(&p);
    return ok;
}

static bool machine_aia(struct opts *p, struct err *err)
{
    const char *aia = opts_get(p, "aia", "none");

    if (!strcmp(aia, "aplic") || !strcmp(aia, "aplic-imsic"))
        return err_set(err,
                       "aia=%s is not available: this machine has a PLIC "
                       "(aia=none)",
                       aia);
    if (strcmp(aia, "none"))
        return err_set(err, "Invalid AIA interrupt controller type\n"
                            "Valid values are none, aplic, and aplic-imsic.");
    return true;
}

/* Machine properties that are options under another name. */
static void machine_images(struct options *o, struct opts *p)
{
    struct {
        const char *key;
        char **to;
    } rows[] = {
        { "kernel", &o->kernel },     { "initrd", &o->initrd },
        { "append", &o->append },     { "dtb", &o->dtb },
        { "firmware", &o->bios },     { "dumpdtb", &o->dumpdtb },
        { "pflash0", &o->pflash[0] }, { "pflash1", &o->pflash[1] },
    };

    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        const char *value = opts_get(p, rows[n].key, NULL);

        if (value)
            options_set(rows[n].to, value);
    }
}

/* -machine accel= is another spelling of -accel, if it is given at all. */
static bool machine_accel(struct options *o, const char *name, struct err *err)
{
    return !name || accel_name(o, name, err);
}

bool do_machine(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    const char *type;
    bool ok, ignored;

    if (options_wants_help(arg)) {
        buf_str(options_answer(o),
                "Supported machines are:\n"
                "virt                 RISC-V VirtIO board (default)\n");
        return true;
    }
    ok = opts_parse(&p, arg, "type", err);
    type = opts_get(&p, "type", "virt");
    if (ok && strcmp(type, "virt"))
        ok = err_set(err,
                     "unsupported machine type: \"%s\"\n"
                     "Use -machine help to list supported machines",
                     type);
    ok = ok && opts_bool(&p, "aclint", false, &o->aclint, err) &&
         machine_aia(&p, err) &&
         machine_accel(o, opts_get(&p, "accel", NULL), err) &&
         opts_bool(&p, "usb", false, &ignored, err) &&
         opts_bool(&p, "graphics", true, &ignored, err);
    opts_get(&p, "acpi", "auto");
    opts_get(&p, "iommu-sys", "auto");
    opts_get(&p, "aia-guests", "0");
    machine_images(o, &p);
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

bool do_cpu(struct options *o, const char *arg, struct err *err)
{
    if (options_wants_help(arg)) {
        cpu_help(options_answer(o));
        return true;
    }
    options_set(&o->cpu, arg);
    return cpu_parse(arg, &o->cpu_config, err);
}

static bool smp_topology(struct opts *p, uint64_t cpus, struct err *err)
{
    uint64_t sockets, clusters, cores, threads, maxcpus, product;

    if (!opts_number(p, "sockets", 0, &sockets, err) ||
        !opts_number(p, "clusters", 1, &clusters, err) ||
        !opts_number(p, "cores", 0, &cores, err) ||
        !opts_number(p, "threads", 1, &threads, err) ||
        !opts_number(p, "maxcpus", cpus, &maxcpus, err))
        return false;
    product = (sockets ? sockets : 1) * (clusters ? clusters : 1) *
              (cores ? cores : 1) * (threads ? threads : 1);
    if (sockets && cores && product != maxcpus)
        return err_set(err,
                       "Invalid CPU topology: product of the hierarchy "
                       "must match maxcpus: sockets (%" PRIu64
                       ") * cores (%" PRIu64 ") * threads (%" PRIu64
                       ") != maxcpus (%" PRIu64 ")",
                       sockets, cores, threads, maxcpus);
    if (maxcpus < cpus)
        return err_set(err, "Invalid CPU topology: maxcpus must be equal to "
                            "or greater than smp");
    return true;
}

bool do_smp(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    uint64_t cpus = 1, sockets, cores, threads;
    bool ok = opts_parse(&p, arg, "cpus", err) &&
              opts_number(&p, "sockets", 1, &sockets, err) &&
              opts_number(&p, "cores", 1, &cores, err) &&
              opts_number(&p, "threads", 1, &threads, err) &&
              opts_number(&p, "cpus", 0, &cpus, err);

    if (ok && !opts_has(&p, "cpus"))
        cpus = sockets * cores * threads;
    ok = ok && smp_topology(&p, cpus, err) && opts_done(&p, err);
    if (ok && !cpus)
        ok = err_set(err, "Invalid CPU topology: CPU topology parameters must "
                          "be greater than zero");
    if (ok && cpus > MAX_HARTS)
        ok = err_set(err,
                     "Invalid SMP CPUs %" PRIu64 ". The max CPUs "
                     "supported by machine 'virt' is %d",
                     cpus, MAX_HARTS);
    if (ok)
        o->harts = (int)cpus;
    opts_free(&p);
    return ok;
}

bool do_m(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, "size", err);
    const char *size = opts_get(&p, "size", "128");
    uint64_t bytes = 0;

    opts_get(&p, "slots", "0");
    opts_get(&p, "maxmem", NULL);
    ok = ok && opts_done(&p, err);
    if (ok && !parse_size(size, 'M', &bytes))
        ok = err_set(err, "Parameter 'size' expects a non-negative number "
                          "below 2^64\nOptional suffix k, M, G, T, P or E "
                          "means kilo-, mega-, giga-, tera-, peta-\n"
                          "and exabytes, respectively.");
    if (ok && !bytes)
        bytes = ram_default;
    if (ok && bytes > ram_max)
        ok = err_set(err, "ram size too large: at most 64 GiB");
    if (ok && (bytes < MIB || bytes % 4096))
        ok = err_set(err, "ram size must be at least 1 MiB, in whole pages");
    o->ram_size = bytes;
    opts_free(&p);
    return ok;
}

bool do_global(struct options *o, const char *arg, struct err *err)
{
    bool on;
    const char *value = strchr(arg, '=');

    if (!value || !strchr(arg, '.'))
        return err_set(err, "Invalid parameter '%s'", arg);
    if (!strncmp(arg, "virtio-mmio.force-legacy=", 25)) {
        if (!parse_bool(value + 1, &on))
            return err_set(err,
                           "can't apply global %s: Parameter "
                           "'force-legacy' expects 'on' or 'off'",
                           arg);
        o->virtio_legacy = on;
        return true;
    }
    fprintf(stderr, "ebreak: warning: global %s not used\n", arg);
    return true;
}

static bool icount_shift(struct options *o, const char *shift, struct err *err)
{
    uint64_t n;

    if (!strcmp(shift, "auto"))
        return true; /* adapting to the host would not be deterministic */
    if (!parse_u64(shift, &n) || n > 10)
        return err_set(err, "icount: Invalid shift value");
    o->clock.shift = (unsigned)n;
    return true;
}

bool do_icount(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool align = false;
    bool ok = opts_parse(&p, arg, "shift", err) &&
              icount_shift(o, opts_get(&p, "shift", "0"), err) &&
              opts_bool(&p, "align", false, &align, err) &&
              opts_bool(&p, "sleep", true, &o->clock.sleep, err);

    if (ok && align && !o->clock.sleep)
        ok = err_set(err, "align=on and sleep=off are incompatible");
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

/* Images ---------------------------------------------------------------------- */

bool do_bios(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->bios, arg);
    return true;
}

bool do_kernel(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->kernel, arg);
    return true;
}

bool do_initrd(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->initrd, arg);
    return true;
}

bool do_append(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->append, arg);
    return true;
}

bool do_dtb(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->dtb, arg);
    return true;
}

bool do_L(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_push(&o->data_dirs, arg);
    return true;
}

static bool flash_image(struct options *o, uint64_t unit, const char *file,
                        bool readonly, struct err *err)
{
    if (unit > 1)
        return err_set(err,
                       "machine type does not support "
                       "if=pflash,bus=0,unit=%" PRIu64,
                       unit);
    options_set(&o->pflash[unit], file);
    o->pflash_readonly[unit] = readonly;
    return true;
}

bool do_pflash(struct options *o, const char *arg, struct err *err)
{
    return flash_image(o, o->pflash[0] ? 1 : 0, arg, false, err);
}

bool do_drive(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool readonly = false;
    uint64_t unit = 0;
    bool ok = opts_parse(&p, arg, NULL, err);
    const char *kind = opts_get(&p, "if", "virtio");
    const char *file = opts_get(&p, "file", NULL);
    const char *format = opts_get(&p, "format", "raw");

    if (ok && strcmp(kind, "pflash"))
        ok = err_set(err, "disks are not available yet: only if=pflash is");
    if (ok && strcmp(format, "raw"))
        ok = err_set(err, "Unknown driver '%s'", format);
    if (ok && !file)
        ok = err_set(err, "a flash image needs file=");
    ok = ok && opts_number(&p, "unit", o->pflash[0] ? 1 : 0, &unit, err) &&
         opts_bool(&p, "readonly", false, &readonly, err) &&
         opts_done(&p, err) && flash_image(o, unit, file, readonly, err);
    opts_free(&p);
    return ok;
}

bool do_device(struct options *o, const char *arg, struct err *err)
{
    size_t n = strcspn(arg, ",");

    if (options_wants_help(arg)) {
        buf_str(options_answer(o),
                "name \"loader\", desc \"Generic Loader\"\n");
        return true;
    }
    if (n != 6 || strncmp(arg, "loader", 6))
        return err_set(err, "'%.*s' is not a valid device model name", (int)n,
                       arg);
    options_push(&o->loaders, arg);
    return true;
}

bool do_fw_cfg(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_push(&o->fw_cfgs, arg);
    return true;
}
