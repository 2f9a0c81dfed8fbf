/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory-fixture.h"
#include "test.h"

static void kernel_with_the_bus(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 0, 16, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 40, 8, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 48, 8, 0, "offline", "Normal Movable");
        sysroot_add_blocks(&sysroot, 72, 8, 1, "online", "none");
        sysroot_add_blocks(&sysroot, 100, 4, 1, "online", "Movable");
        sysroot_add_blocks(&sysroot, 110, 2, 1, "online", "Normal");
        sysroot_add_range(&sysroot, 0, 40, 16, 0, "System RAM", "1073741824");
        sysroot_add_range(&sysroot, 3, 72, 8, 1, "System RAM (kmem)", "unknown");
        sysroot_add_range(&sysroot, 12, 100, 4, 1, "System RAM (virtio_mem)", "134217728");
        add_acpi_device("PNP0C80:00", 40, 16);
        add_acpi_device("PNP0C80:1f", 110, 2);
        add_dax_device("dax0.0", "../../../../bus/dax/drivers/kmem", 72 * GIB / 8 - 4096, GIB + 8192);
        sysroot_write(&sysroot, "sys/devices/system/node/node0/meminfo",
                      "Node 0 MemTotal:        4194304 kB\nNode 0 MemFree:         1048576 kB\n"
                      "Node 0 Active(file):       1000 kB\nNode 0 Inactive(file):     2000 kB\n"
                      "Node 0 HugePages_Free:      7\nNode 0 SReclaimable:         24 kB\n");

        struct inventory *inventory = read_all();
        assert_described(inventory,
                         "0-15 node0 online Normal boot -; 40-47 node0 online Movable hot-added range0; "
                         "48-55 node0 offline - hot-added range0; 72-79 node1 online - hot-added range3; "
                         "100-103 node1 online Movable hot-added range12; "
                         "110-111 node1 online Normal hot-added est0");
        assert_int_equal(inventory->n_ranges, 4);
        assert_range(inventory, 0, "range0 40-55 node0 acpi PNP0C80:00 1073741824 kernel hot-added");
        assert_range(inventory, 1, "range3 72-79 node1 dax dax0.0 0 kernel hot-added");
        assert_range(inventory, 2, "range12 100-103 node1 virtio-mem - 134217728 kernel hot-added");
        /* listed as RAM by firmware, but of a DIMM: an estimate beside the kernel's ranges */
        assert_range(inventory, 3, "est0 110-111 node1 acpi PNP0C80:1f 1073741824 estimated hot-added");
        assert_int_equal(inventory->block_size_bytes, GIB / 8);
        assert_int_equal(inventory->guard, GUARD_REMOVAL);
        assert_int_equal(inventory->source, GRANULARITY_SOURCE_ESTIMATED);
        assert_string_equal(inventory->auto_online, "offline");
        assert_int_equal(inventory->n_nodes, 1);
        assert_int_equal(inventory->nodes[0].total_bytes, 4 * GIB);
        assert_int_equal(inventory->nodes[0].free_bytes, GIB);
        assert_int_equal(inventory->nodes[0].reclaimable_bytes, 3024 * 1024);
        assert_int_equal(inventory->nodes[0].free_huge_pages, 7);

        assert_int_equal(inventory_unit_of(inventory, 44).first_block, 40);
        assert_int_equal(inventory_unit_of(inventory, 44).n_blocks, 8);
        assert_int_equal(inventory_unit_of(inventory, 3).n_blocks, 1);
        assert_int_equal(inventory_unit_of(inventory, 75).n_blocks, 8);
        assert_int_equal(inventory_count_bytes(inventory, NULL, BLOCK_OFFLINE), GIB);
        struct span span = { 8, 36 };
        assert_int_equal(inventory_count_bytes(inventory, &span, BLOCK_ONLINE), 12 * GIB / 8);
        assert_ptr_equal(inventory_find_range(inventory, "range12"), &inventory->ranges[2]);
        assert_ptr_equal(inventory_find_range(inventory, "est0"), &inventory->ranges[3]);
        assert_null(inventory_find_range(inventory, "range1"));
        assert_null(inventory_find_range(inventory, "memory40"));

        struct inventory *copy = NULL;
        assert_int_equal(inventory_copy(inventory, &copy), 0);
        inventory_free(inventory);
        assert_range(copy, 0, "range0 40-55 node0 acpi PNP0C80:00 1073741824 kernel hot-added");
        assert_int_equal(copy->extents.n, 6);
        assert_int_equal(copy->nodes[0].free_huge_pages, 7);
        inventory_free(copy);
        (void)state;
}

static void one_block_changes(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        sysroot_add_range(&sysroot, 0, 40, 16, 0, "System RAM", "1073741824");
        struct inventory *inventory = read_all();

        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), 0);
        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "offline\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), 1);
        assert_described(inventory,
                         "40-43 node0 online Movable hot-added range0; 44-44 node0 offline - hot-added range0; "
                         "45-55 node0 online Movable hot-added range0");
        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "online\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), 1);
        assert_int_equal(inventory->extents.n, 1);

        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory55");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 55, 1 }), 1);
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 55, 1 }), 0);
        assert_described(inventory, "40-54 node0 online Movable hot-added range0");
        assert_false(inventory->estimates_stale);

        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "confused\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), -EBADMSG);
        assert_described(inventory, "40-54 node0 online Movable hot-added range0");
        inventory_free(inventory);
        (void)state;
}

/* A hot-add, its events merged: the range is known before its blocks' links to their node are looked at. */
static void many_blocks_change(void **state) {
        const struct inventory_options options = { .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY };
        const struct span all = { 64, 8 };
        struct inventory *inventory;

        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 8, 0, "online", "Movable");
        sysroot_write(&sysroot, "sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 2097152 kB\n");
        assert_int_equal(inventory_read(&sysfs, &options, &inventory), 0);

        sysroot_add_blocks(&sysroot, 64, 8, 1, "offline", "Normal Movable");
        sysroot_add_range(&sysroot, 0, 64, 8, 1, "System RAM", "1073741824");
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory67/node1");
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 0), 1);
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, all), 1);
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, all), 0);
        assert_described(inventory, "40-47 node0 online Movable unknown est0; 64-71 node1 offline - hot-added range0");

        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory66");
        sysroot_write(&sysroot, "sys/devices/system/memory/memory68/state", "confused\n");
        sysroot_write(&sysroot, "sys/devices/system/memory/memory65/state", "going-offline\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, all), -EBADMSG);
        sysroot_write(&sysroot, "sys/devices/system/memory/memory68/state", "offline\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 66, 6 }), 0);
        assert_described(inventory,
                         "40-47 node0 online Movable unknown est0; 64-64 node1 offline - hot-added range0; "
                         "65-65 node1 going-offline - hot-added range0; 67-71 node1 offline - hot-added range0");
        inventory_free(inventory);
        (void)state;
}

/* Turns auto-onlining on and adds memory, just after it was looked at whether it is on. */
static ssize_t read_before_an_add(int fd, void *buffer, size_t size) {
        ssize_t n = sysfs_ops_default.read(fd, buffer, size);

        if (n == 8 && memcmp(buffer, "offline\n", 8) == 0) {
                sysroot_write(&sysroot, "sys/devices/system/memory/auto_online_blocks", "online\n");
                sysroot_add_blocks(&sysroot, 40, 8, 0, "online", "Movable");
                sysroot_add_range(&sysroot, 0, 40, 8, 0, "System RAM", "1073741824");
        }
        return n;
}

/* Else the kernel would seem to have left it to others. */
static void no_range_is_newer_than_auto_onlining(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 80, 8, 0, "online", "Movable");
        sysroot_add_range(&sysroot, 1, 80, 8, 0, "System RAM", "1073741824");
        ops.read = read_before_an_add;
        struct inventory *inventory = read_all();
        assert_string_equal(inventory->auto_online, "offline");
        assert_int_equal(inventory->n_ranges, 1);
        inventory_free(inventory);

        inventory = read_all();
        assert_string_equal(inventory->auto_online, "online");
        assert_int_equal(inventory->n_ranges, 2);
        inventory_free(inventory);
        (void)state;
}

/* A hot-add: blocks first, then their range; a partial removal: the range goes, remainders come. */
static void ranges_come_and_go(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 8, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 80, 8, 1, "online", "Movable");
        sysroot_add_range(&sysroot, 0, 40, 8, 0, "System RAM", "1073741824");
        sysroot_add_range(&sysroot, 1, 80, 8, 1, "System RAM", "1073741824");
        struct inventory *inventory = read_all();

        sysroot_add_blocks(&sysroot, 64, 4, 0, "offline", "Normal Movable");
        for (uint64_t block = 64; block < 68; block++)
                assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ block, 1 }), 1);
        assert_described(inventory,
                         "40-47 node0 online Movable hot-added range0; 64-67 node0 offline - unknown -; "
                         "80-87 node1 online Movable hot-added range1");
        assert_int_equal(inventory_unit_of(inventory, 65).first_block, 64);
        assert_int_equal(inventory_unit_of(inventory, 65).n_blocks, 4);

        sysroot_add_range(&sysroot, 2, 64, 4, 0, "System RAM", "134217728");
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 2), 1);
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 2), 0);
        assert_described(inventory,
                         "40-47 node0 online Movable hot-added range0; 64-67 node0 offline - hot-added range2; "
                         "80-87 node1 online Movable hot-added range1");

        sysroot_unlink(&sysroot, "sys/bus/memory_range/devices/range0");
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 0), 1);
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 0), 0);
        assert_described(inventory,
                         "40-47 node0 online Movable unknown -; 64-67 node0 offline - hot-added range2; "
                         "80-87 node1 online Movable hot-added range1");

        sysroot_add_range(&sysroot, 3, 40, 4, 0, "System RAM", "134217728");
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 3), 1);
        assert_described(inventory,
                         "40-43 node0 online Movable hot-added range3; 44-47 node0 online Movable unknown -; "
                         "64-67 node0 offline - hot-added range2; 80-87 node1 online Movable hot-added range1");

        /* The kernel may split leaves at run time: a range read again has a new granularity. */
        sysroot_add_range(&sysroot, 1, 80, 8, 1, "System RAM", "134217728");
        assert_int_equal(inventory_refresh_range(inventory, &sysfs, 1), 1);
        assert_int_equal(inventory_unit_of(inventory, 84).n_blocks, 1);

        /* All this is what reading the machine again shows, but for what only the events tell. */
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory44");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), 1);
        assert_false(inventory->estimates_stale);
        inventory_free(inventory);
        (void)state;
}

/* A machine whose ranges lie side by side, for it to be changed at random. */
struct slot {
        uint64_t number, n_blocks; /* of its range; 0: there is none */
};

#define N_SLOTS     6
#define SLOT_BLOCKS 8

static uint64_t first_of(unsigned slot, const struct slot *range) {
        return 40 + (slot + 1) * SLOT_BLOCKS - range->n_blocks;
}

static void add_to_slot(unsigned slot, struct slot *range, uint64_t number) {
        *range = (struct slot){ number, SLOT_BLOCKS };
        sysroot_add_blocks(&sysroot, first_of(slot, range), SLOT_BLOCKS, (int)(slot % 2), "offline", "Normal Movable");
        sysroot_add_range(&sysroot, number, first_of(slot, range), SLOT_BLOCKS, (int)(slot % 2), "System RAM",
                          slot % 3 ? "1073741824" : "134217728");
}

/* Takes the first n blocks away; what is left is a new range. */
static void remove_from_slot(unsigned slot, struct slot *range, uint64_t n, uint64_t number) {
        char path[128];

        for (uint64_t block = first_of(slot, range); n > 0; block++, n--, range->n_blocks--) {
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64, block);
                sysroot_unlink(&sysroot, path);
                snprintf(path, sizeof(path), "sys/devices/system/node/node%u/memory%" PRIu64, slot % 2, block);
                sysroot_unlink(&sysroot, path);
        }
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64, range->number);
        sysroot_unlink(&sysroot, path);
        range->number = number;
        if (range->n_blocks > 0)
                sysroot_add_range(&sysroot, number, first_of(slot, range), range->n_blocks, (int)(slot % 2),
                                  "System RAM", "134217728");
}

static void change_block(uint64_t block, bool online) {
        char path[128];

        snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/state", block);
        sysroot_write(&sysroot, path, online ? "online\n" : "offline\n");
        snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/valid_zones", block);
        sysroot_write(&sysroot, path, online ? "Movable\n" : "Normal Movable\n");
}

/* Whatever happens, and in whatever order it is heard of: what comes of it is what reading the machine again shows. */
static void refreshing_ends_where_reading_does(void **state) {
        struct slot slots[N_SLOTS] = { 0 };
        uint64_t next_number = 0;
        unsigned seed = 1;

        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 0, 8, 0, "online", "Normal");
        sysroot_write(&sysroot, "sys/bus/memory_range/devices/.keep", "%s", "");
        struct inventory *inventory = read_all();
        for (int turn = 0; turn < 150; turn++) {
                unsigned slot = (unsigned)rand_r(&seed) % N_SLOTS, kind = (unsigned)rand_r(&seed) % 4;
                struct slot *range = &slots[slot];
                uint64_t old_number = range->number, number = next_number;

                if (range->n_blocks == 0) {
                        add_to_slot(slot, range, next_number++);
                } else if (kind == 0) {
                        remove_from_slot(slot, range, (uint64_t)rand_r(&seed) % range->n_blocks + 1, next_number++);
                } else {
                        change_block(first_of(slot, range) + (uint64_t)rand_r(&seed) % range->n_blocks, kind > 1);
                }

                /* The blocks of the slot and both its ranges, from any of them on, forwards or backwards. */
                const unsigned n_events = SLOT_BLOCKS + 2, from = (unsigned)rand_r(&seed) % n_events;
                for (unsigned i = 0; i < n_events; i++) {
                        unsigned event = (from + (turn % 2 ? i : n_events - i)) % n_events;
                        int r = event < SLOT_BLOCKS
                                        ? inventory_refresh_blocks(inventory, &sysfs,
                                                                   (struct span){ 40 + slot * SLOT_BLOCKS + event, 1 })
                                        : inventory_refresh_range(inventory, &sysfs,
                                                                  event == SLOT_BLOCKS ? old_number : number);
                        assert_true(r >= 0);
                }

                struct inventory *again = read_all();
                char *text = describe(again);
                assert_described(inventory, text);
                assert_int_equal(inventory->n_ranges, again->n_ranges);
                for (size_t i = 0; i < again->n_ranges; i++) {
                        assert_int_equal(inventory->ranges[i].number, again->ranges[i].number);
                        assert_int_equal(inventory->ranges[i].span.n_blocks, again->ranges[i].span.n_blocks);
                        assert_int_equal(inventory->ranges[i].removal_granularity_bytes,
                                         again->ranges[i].removal_granularity_bytes);
                }
                free(text);
                inventory_free(again);
        }
        inventory_free(inventory);
        (void)state;
}

static unsigned n_calls;

static int counting_openat(int dir_fd, const char *path, int flags) {
        __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
        return sysfs_ops_default.openat(dir_fd, path, flags);
}

static ssize_t counting_read(int fd, void *buffer, size_t size) {
        __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
        return sysfs_ops_default.read(fd, buffer, size);
}

static ssize_t counting_readlinkat(int dir_fd, const char *path, char *buffer, size_t size) {
        __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
        return sysfs_ops_default.readlinkat(dir_fd, path, buffer, size);
}

static int counting_close(int fd) {
        __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
        return sysfs_ops_default.close(fd);
}

/* Seven system calls a block with zones on a machine with DIMMs, four without; one less each without DIMMs. */
static void few_system_calls(void **state) {
        const unsigned n_blocks = 200, n_fixed = 60;

        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, n_blocks, 0, "online", "Movable");
        ops.openat = counting_openat;
        ops.read = counting_read;
        ops.readlinkat = counting_readlinkat;
        ops.close = counting_close;
        for (int with_dimms = 0; with_dimms < 2; with_dimms++)
                for (int zones = 0; zones < 2; zones++) {
                        if (with_dimms && !zones)
                                add_acpi_device("PNP0C80:00", 40, 1);
                        n_calls = 0;
                        inventory_free(read_with(&(struct inventory_options){ .flags = zones ? INVENTORY_ZONES : 0 }));
                        assert_in_range(n_calls, n_blocks * 3, n_blocks * (3 + 3 * zones + with_dimms) + n_fixed);
                }
        (void)state;
}

static void a_block_in_two_nodes_counts_to_the_lowest(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 0, 4, 1, "online", "Normal");
        sysroot_link(&sysroot, "sys/devices/system/node/node0/memory3", "../../memory/memory3");
        sysroot_link(&sysroot, "sys/devices/system/node/node2/memory3", "../../memory/memory3");
        sysroot_link(&sysroot, "sys/devices/system/memory/memory3/node0", "../../node/node0");
        struct inventory *inventory = read_all();
        assert_int_equal(extent_list_find(&inventory->extents, 2)->node, 1);
        assert_int_equal(extent_list_find(&inventory->extents, 3)->node, 0);
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 3, 1 }), 0);
        inventory_free(inventory);
        (void)state;
}

static void threads_make_no_difference(void **state) {
        sysroot_add_machine(&sysroot);
        for (uint64_t i = 0; i < 40; i++)
                sysroot_add_blocks(&sysroot, 40 + i * 8, 8, (int)(i % 3), i % 2 ? "online" : "offline", "Movable");
        char *first = NULL;

        for (unsigned n = 1; n <= 9; n++) {
                struct inventory *inventory =
                        read_with(&(struct inventory_options){ .flags = INVENTORY_ZONES, .n_threads = n });
                char *text = describe(inventory);
                if (first)
                        assert_string_equal(text, first);
                else
                        first = strdup(text);
                free(text);
                inventory_free(inventory);
        }
        free(first);
        (void)state;
}

static int faulty_error;

static int faulty_openat(int dir_fd, const char *path, int flags) {
        if (strcmp(path, "memory44/state") == 0) {
                errno = faulty_error;
                return -1;
        }
        return sysfs_ops_default.openat(dir_fd, path, flags);
}

static void faults(void **state) {
        struct inventory *inventory = NULL;

        assert_int_equal(inventory_read(&sysfs, NULL, &inventory), -ENOENT);
        sysroot_add_machine(&sysroot);
        inventory = read_all();
        assert_int_equal(inventory->extents.n, 0);
        inventory_free(inventory);
        inventory = NULL;

        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        ops.openat = faulty_openat;
        faulty_error = EIO;
        assert_int_equal(inventory_read(&sysfs, NULL, &inventory), -EIO);
        assert_null(inventory);

        /* A block that vanishes while it is read is left out. */
        faulty_error = ENODEV;
        inventory = read_with(NULL);
        assert_described(inventory, "40-43 node0 online - unknown est0; 45-55 node0 online - unknown est1");
        inventory_free(inventory);
        inventory = NULL;

        sysroot_write(&sysroot, "sys/devices/system/memory/block_size_bytes", "7ffffff\n");
        assert_int_equal(inventory_read(&sysfs, NULL, &inventory), -EBADMSG);
        sysroot_write(&sysroot, "sys/devices/system/memory/block_size_bytes", "large\n");
        assert_int_equal(inventory_read(&sysfs, NULL, &inventory), -EINVAL);
        assert_null(inventory);
        (void)state;
}

/* Attributes that make no sense make a range coarse, or none at all, but never the inventory fail. */
static void odd_ranges(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 32, -1, "offline", "Movable");
        sysroot_add_range(&sysroot, 0, 40, 8, -1, "System RAM", "12 apples");
        sysroot_add_range(&sysroot, 1, 48, 8, -1, "System RAM", "3");
        sysroot_add_range(&sysroot, 2, 56, 0, -1, "System RAM", "1073741824");
        sysroot_write(&sysroot, "sys/bus/memory_range/devices/range3/start", "0x200000000\n");
        sysroot_write(&sysroot, "sys/bus/memory_range/devices/odd/start", "0x200000000\n");
        struct inventory *inventory = read_all();
        assert_int_equal(inventory->n_ranges, 2);
        assert_range(inventory, 0, "range0 40-47 node-1 other - 0 unknown hot-added");
        assert_range(inventory, 1, "range1 48-55 node-1 other - 3 kernel hot-added");
        assert_int_equal(inventory_unit_of(inventory, 50).n_blocks, 8);
        assert_int_equal(inventory->source, GRANULARITY_SOURCE_UNKNOWN);
        assert_described(inventory,
                         "40-47 node-1 offline - hot-added range0; 48-55 node-1 offline - hot-added range1; "
                         "56-71 node-1 offline - boot -");
        inventory_free(inventory);
        (void)state;
}

static void platform_drivers(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 8, 0, "offline", "Movable");
        sysroot_add_range(&sysroot, 0, 40, 8, 0, "System RAM", "134217728");
        sysroot_write(&sysroot, "sys/kernel/dlpar", "\n");
        struct inventory *inventory = read_all();
        assert_int_equal(inventory->ranges[0].driver, DRIVER_PSERIES);
        inventory_free(inventory);

        sysroot_write(&sysroot, "sys/firmware/memory/memory40/config", "1\n");
        inventory = read_all();
        assert_int_equal(inventory->ranges[0].driver, DRIVER_S390);
        inventory_free(inventory);
        assert_null(inventory_free(NULL));
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(kernel_with_the_bus),
                TEST(one_block_changes),
                TEST(many_blocks_change),
                TEST(no_range_is_newer_than_auto_onlining),
                TEST(ranges_come_and_go),
                TEST(refreshing_ends_where_reading_does),
                TEST(few_system_calls),
                TEST(a_block_in_two_nodes_counts_to_the_lowest),
                TEST(threads_make_no_difference),
                TEST(faults),
                TEST(odd_ranges),
                TEST(platform_drivers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
