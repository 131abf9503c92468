/* SPDX-License-Identifier: MIT */
/*
 * virt.h - the `virt` board: memory map, devices, wires, images, device tree.
 *
 * It sees harts only as interrupt lines and text for the device tree.
 */
#ifndef BOARD_VIRT_H
#define BOARD_VIRT_H

#include "board/devices.h"

struct roms;
struct files;
struct virt;

/* What the command line says about the board. Strings are borrowed. */
struct virt_config {
    uint64_t ram_size;
    int harts;
    bool aclint, virtio_legacy;
    struct files *files; /* where images come from; NULL: the disk */
    const char *bios;    /* NULL: default firmware; "none" */
    const char *kernel, *initrd, *append, *dtb;
    const char *data_dirs[8]; /* -L, then the built-in ones; NULL ends */
    const char *pflash[2];    /* files */
    bool pflash_readonly[2];
    int64_t rtc_base_ns;
    uint64_t rng_seed; /* the device tree's rng-seed comes from this */
    const char *isa, *mmu_type;
    const char *isa_list; /* "i\0m\0..." */
    uint32_t isa_list_len;
    uint16_t cbom_block, cbop_block, cboz_block; /* 0: none */
    uint64_t resetvec;
    bool has_supervisor;
};

/* The wires and hooks that harts and machine give the board. */
struct virt_wires {
    struct irq msip[64], mtip[64], meip[64], seip[64], ssip[64];
    struct finisher_hooks finisher;
    struct chardev *serial0; /* NULL: none */
};

/* In the order of init.c's steps. NULL or false: err says why. */
struct virt *virt_new(const struct board_rooms *r, struct roms *roms,
                      const struct virt_config *config,
                      const struct virt_wires *wires);
void virt_free(struct virt *v);
void virt_add_clint(struct virt *v); /* and ACLINT's SSWI */
bool virt_add_dram(struct virt *v, struct err *err);
void virt_add_mrom(struct virt *v);
bool virt_add_devices(struct virt *v, struct err *err); /* all the rest */

/* -device loader,file=|data=,addr=[,cpu-num=][,force-raw=on] */
struct virt_loader {
    const char *file; /* NULL: data */
    uint64_t data, addr;
    unsigned data_len;
    bool force_raw, has_addr;
    int cpu; /* -1 */
};
bool virt_load(struct virt *v, const struct virt_loader *l, uint64_t *entry,
               struct err *err);
bool virt_fwcfg_file(struct virt *v, const char *name, const void *data,
                     uint32_t len, struct err *err);

/* Firmware, kernel, initrd, device tree, reset vector: all as roms. */
bool virt_load_images(struct virt *v, struct err *err);

/* The finished device tree, for -M dumpdtb. */
const void *virt_fdt(const struct virt *v, uint32_t *len);

struct clint *virt_clint(struct virt *v);
void virt_show_irqs(const struct virt *v, struct buf *out);

#endif
