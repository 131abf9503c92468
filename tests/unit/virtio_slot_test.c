/* SPDX-License-Identifier: MIT */
/* virtio_slot_test.c - an empty virtio-mmio slot. */
#include "tests/unit/chip_rig.h"

enum { BASE = 0x10001000, NEXT = 0x10002000 };

static struct rig g;
static struct wire wires[2];

static void set_up(void)
{
    rig_init(&g);
    memset(wires, 0, sizeof wires);
    virtio_slot_new(&g.rooms, 0, BASE, true, wire_irq(wires, 0));
    virtio_slot_new(&g.rooms, 1, NEXT, false, wire_irq(wires, 1));
}

static void tear_down(void) { rig_fini(&g); }

TestSuite(virtio_slot, .init = set_up, .fini = tear_down);

Test(virtio_slot, says_what_it_is_and_that_it_is_empty)
{
    cr_assert_eq(rig_read(&g, BASE, 4), 0x74726976);
    cr_assert_eq(rig_read(&g, BASE + 8, 4), 0);
    cr_assert_eq(rig_read(&g, BASE + 0xc, 4), 0x554d4551);
}

Test(virtio_slot, the_version_is_1_or_2)
{
    cr_assert_eq(rig_read(&g, BASE + 4, 4), 1);
    cr_assert_eq(rig_read(&g, NEXT + 4, 4), 2);
}

Test(virtio_slot, answers_whatever_the_size)
{
    cr_assert_eq(rig_read(&g, BASE, 1), 0x76);
    cr_assert_eq(rig_read(&g, BASE, 2), 0x6976);
    cr_assert_eq(rig_read(&g, BASE, 8), 0x0000000174726976);
    cr_assert_eq(rig_read(&g, BASE + 1, 1), 0);
}

Test(virtio_slot, everything_else_reads_zero)
{
    for (uint64_t off = 0x10; off < 0x200; off += 4)
        cr_assert_eq(rig_read(&g, BASE + off, 4), 0);
}

Test(virtio_slot, ends_at_0x200)
{
    cr_assert(rig_read_faults(&g, BASE + 0x200, 4));
}

Test(virtio_slot, random_accesses_do_no_harm_and_raise_no_interrupt)
{
    rig_hammer(&g, BASE - 8, 0x210, 200000);
    cr_assert_eq(rig_read(&g, BASE, 4), 0x74726976);
    cr_assert_eq(wires[0].raised + wires[1].raised, 0);
}

Test(virtio_slot, describes_itself_and_its_bus)
{
    struct buf out = { 0 };

    rig_describe(&g, "virtio-mmio1", &out);
    cr_assert_str_eq(buf_text(&out), "gpio-out \"sysbus-irq\" 1\n"
                                     "format_transport_address = true\n"
                                     "force-legacy = false\n"
                                     "ioeventfd = false\n"
                                     "mmio 0000000010002000/0000000000000200\n"
                                     "bus: virtio-mmio-bus.1\n"
                                     "  type virtio-mmio-bus\n");
    buf_free(&out);
}
