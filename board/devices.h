/* SPDX-License-Identifier: MIT */
/*
 * devices.h - one constructor per chip of the virt board, nothing else.
 *
 * Each adds itself to devs (which frees it) and maps itself into mem.
 * Offsets, widths and reset values: facts/virt-machine.md section 7.
 */
#ifndef BOARD_DEVICES_H
#define BOARD_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "emu/bus/irq.h"

struct loop;
struct mem;
struct devs;
struct tap;
struct chardev;
struct err;
struct buf;

/* What every device is built from. */
struct board_rooms {
    struct loop *loop;
    struct mem *mem;
    struct devs *devs;
    struct tap *tap;
};

/*
 * NS16550A. chr may be NULL. Input comes through tap source "serial0". False
 * when chr is taken by another front end.
 */
bool uart_new(const struct board_rooms *r, uint64_t base, struct chardev *chr,
              struct irq irq, struct err *err);

/* SiFive PLIC: context 2h is hart h's M, 2h+1 its S; out[] in that order. */
struct plic;
struct plic *plic_new(const struct board_rooms *r, uint64_t base, int harts,
                      const struct irq *out);
struct irq plic_irq(struct plic *p, int source);       /* 1..95 */
void plic_show(const struct plic *p, struct buf *out); /* info irq */

/* CLINT, or with aclint also the SSWI device. msip, mtip, ssip: per hart. */
struct clint;
struct clint *clint_new(const struct board_rooms *r, uint64_t base, int harts,
                        const struct irq *msip, const struct irq *mtip,
                        const struct irq *ssip, bool aclint);
uint64_t clint_mtime(void *clint);                      /* 10 MHz ticks */
int64_t clint_mtime_to_ns(void *clint, uint64_t ticks); /* virtual ns */

/* Goldfish RTC. base_ns: the date at T=0, ns since the epoch. */
void rtc_new(const struct board_rooms *r, uint64_t base, int64_t base_ns,
             struct irq irq);

/* SiFive test finisher: what the guest asks for. */
struct finisher_hooks {
    void (*shutdown)(void *opaque, bool panic, int code);
    void (*reset)(void *opaque);
    void *opaque;
};
void finisher_new(const struct board_rooms *r, uint64_t base,
                  const struct finisher_hooks *hooks);

/* QEMU's fw_cfg, with DMA. Items are copied. */
struct fwcfg;
struct fwcfg *fwcfg_new(const struct board_rooms *r, uint64_t base);
void fwcfg_add(struct fwcfg *f, uint16_t key, const void *data, uint32_t len);
bool fwcfg_add_file(struct fwcfg *f, const char *name, const void *data,
                    uint32_t len, struct err *err);

/* CFI01 flash bank of 32 MiB; image NULL: empty, reads 0. */
void flash_new(const struct board_rooms *r, const char *name, uint64_t base,
               const void *image, uint64_t len, bool readonly);

/* An empty virtio-mmio slot. */
void virtio_slot_new(const struct board_rooms *r, int slot, uint64_t base,
                     bool legacy, struct irq irq);

#endif
