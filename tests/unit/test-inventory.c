/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory.h"
#include "page-tables.h"
#include "sysroot.h"
#include "test.h"
#include "util.h"

#define GIB (UINT64_C(1) << 30)

static struct sysroot sysroot;
static struct sysfs sysfs;
static struct sysfs_ops ops;

static int setup(void **state) {
        (void)state;
        sysroot_make(&sysroot);
        ops = sysfs_ops_default;
        return sysfs_open(sysroot.path, &ops, &sysfs);
}

static int teardown(void **state) {
        (void)state;
        sysfs_close(&sysfs);
        sysroot_remove(&sysroot);
        return 0;
}

static struct inventory *read_with(const struct inventory_options *options) {
        struct inventory *inventory = NULL;

        assert_int_equal(inventory_read(&sysfs, options, &inventory), 0);
        return inventory;
}

static struct inventory *read_all(void) {
        return read_with(&(struct inventory_options){ .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY });
}

/* "0-15 node0 online Normal boot -; 40-55 node0 offline - hot-added range0": what lists show. */
static char *describe(const struct inventory *inventory) {
        char *text = NULL, name[RANGE_NAME_MAX];
        size_t size;

        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = &inventory->extents.items[i];
                const struct range *range = inventory_range_of(inventory, extent->first_block);
                fprintf(stream, "%s%" PRIu64 "-%" PRIu64 " node%d %s %s %s %s", i > 0 ? "; " : "", extent->first_block,
                        extent_end(extent) - 1, extent->node, block_state_to_string(extent->state),
                        extent->zone == ZONE_NONE ? "-" : block_zone_to_string(extent->zone),
                        block_kind_to_string(extent->kind), range ? range_name(range, name) : "-");
        }
        assert_int_equal(fclose(stream), 0);
        return text;
}

static void assert_described(const struct inventory *inventory, const char *expected) {
        char *text = describe(inventory);

        assert_string_equal(text, expected);
        free(text);
}

/* "range0 40-55 node0 acpi PNP0C80:00 1073741824 kernel hot-added" */
static void assert_range(const struct inventory *inventory, size_t i, const char *expected) {
        char text[256], name[RANGE_NAME_MAX];

        assert_true(i < inventory->n_ranges);
        const struct range *range = &inventory->ranges[i];
        snprintf(text, sizeof(text), "%s %" PRIu64 "-%" PRIu64 " node%d %s %s %" PRIu64 " %s %s",
                 range_name(range, name), range->span.first_block, span_end(&range->span) - 1, range->node,
                 range_driver_to_string(range->driver), range->device ? range->device : "-",
                 range->removal_granularity_bytes, granularity_source_to_string(range->source),
                 block_kind_to_string(range->kind));
        assert_string_equal(text, expected);
}

static void add_acpi_device(const char *name, uint64_t first, uint64_t n) {
        char path[128], target[128];

        snprintf(path, sizeof(path), "sys/bus/acpi/devices/%s/path", name);
        sysroot_write(&sysroot, path, "\\_SB_\n");
        for (uint64_t block = first; block < first + n; block++) {
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/firmware_node", block);
                snprintf(target, sizeof(target), "../../../LNXSYSTM:00/LNXSYBUS:00/%s", name);
                sysroot_link(&sysroot, path, target);
        }
}

static void add_dax_device(const char *name, const char *driver, uint64_t start, uint64_t n_bytes) {
        char path[128];

        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/resource", name);
        sysroot_write(&sysroot, path, "0x%" PRIx64 "\n", start);
        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/size", name);
        sysroot_write(&sysroot, path, "%" PRIu64 "\n", n_bytes);
        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/driver", name);
        sysroot_link(&sysroot, path, driver);
}

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

/* Which is there before its first block and after its last, in whatever order they come and go. */
static void a_line_is_one_range_while_its_blocks_come(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_write(&sysroot, "proc/iomem",
                      "140000000-1bfffffff : System RAM\n"
                      "1c0000000-1ffffffff : System RAM\n"
                      "200000000-27fffffff : System RAM (mydriver)\n"
                      "280000000-28fffffff : System RAM\n"
                      "  280000000-28000ffff : reserved\n"
                      "290000000-2bfffffff : System RAM\n");
        sysroot_add_blocks(&sysroot, 44, 2, 0, "online", "Movable");
        /* Beside it, boot memory, and a line that lies in two nodes. */
        sysroot_add_blocks(&sysroot, 56, 8, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 66, 2, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 76, 2, 1, "online", "Movable");
        sysroot_add_blocks(&sysroot, 80, 2, 1, "online", "Normal");
        sysroot_add_blocks(&sysroot, 84, 1, 1, "online", "Normal");

        struct inventory *inventory = read_all();
        assert_described(inventory,
                         "44-45 node0 online Movable unknown est0; 56-63 node0 online Movable unknown est1; "
                         "66-67 node0 online Movable hot-added est2; 76-77 node1 online Movable hot-added est3; "
                         "80-81 node1 online Normal boot -; 84-84 node1 online Normal unknown est4");
        assert_range(inventory, 0, "est0 40-55 node0 other - 1073741824 estimated unknown");
        assert_range(inventory, 1, "est1 56-63 node0 other - 1073741824 estimated unknown");
        assert_range(inventory, 2, "est2 64-75 node0 other - 1073741824 estimated hot-added");
        assert_range(inventory, 3, "est3 76-79 node1 other - 1073741824 estimated hot-added");
        assert_range(inventory, 4, "est4 82-87 node1 other - 1073741824 estimated unknown");

        /* More of it comes: it is the same range. */
        sysroot_add_blocks(&sysroot, 40, 2, 0, "offline", "Movable");
        sysroot_add_blocks(&sysroot, 50, 6, 0, "offline", "Movable");
        struct inventory *later = read_with(&(struct inventory_options){ .previous = inventory });
        assert_range(later, 0, "est0 40-55 node0 other - 1073741824 estimated unknown");
        assert_int_equal(later->next_estimate, inventory->next_estimate);
        inventory_free(later);
        inventory_free(inventory);
        (void)state;
}

#define ARM64_TABLES                                                                                                   \
        "---[ Linear Mapping start ]---\n"                                                                             \
        "0xffff000000000000-0xffff000000210000        2112K PTE       RW NX SHD AF    CON     UXN    MEM/NORMAL\n"     \
        "0xffff000000210000-0xffff000000400000        1984K PTE       ro NX SHD AF            UXN    MEM/NORMAL\n"     \
        "0xffff000000400000-0xffff000004000000          60M PMD       RW NX SHD AF        BLK UXN    MEM/NORMAL\n"     \
        "0xffff000004000000-0xffff000040000000         960M PMD\n"                                                     \
        "0xffff000040000000-0xffff008000000000         511G PUD\n"                                                     \
        "---[ Linear Mapping end ]---\n"                                                                               \
        "0xffff800080000000-0xffff8000c0000000           1G PUD       RW NX SHD AF        BLK UXN    MEM/NORMAL\n"
#define X86_64_TABLES                                                                                                  \
        "---[ User Space ]---\n"                                                                                       \
        "0x0000000000000000-0xffff800000000000    16777088T                                               pgd\n"       \
        "---[ Low Kernel Mapping ]---\n"                                                                               \
        "0xffff888000000000-0xffff888000200000           2M     RW                 GLB NX pte\n"                       \
        "0xffff888000200000-0xffff888040000000        1022M     RW         PSE     GLB NX pmd\n"                       \
        "0xffff888040000000-0xffffc90000000000       66559G                               pud\n"                       \
        "---[ vmalloc() Area ]---\n"                                                                                   \
        "0xffffc90000000000-0xffffc90040000000           1G     RW         PSE     GLB NX pud\n"

static void the_largest_leaf_of_the_linear_map(void **state) {
        static const struct {
                const char *text;
                enum machine_arch arch;
                uint64_t page_size_bytes, leaf_bytes; /* 0: not to be told */
        } cases[] = {
                { ARM64_TABLES, ARCH_ARM64, 4096, 2 << 20 },
                { ARM64_TABLES, ARCH_ARM64, 16384, 32 << 20 },
                { ARM64_TABLES, ARCH_ARM64, 65536, 512 << 20 },
                { ARM64_TABLES, ARCH_ARM64, 8192, 0 },
                { X86_64_TABLES, ARCH_X86_64, 4096, 2 << 20 },
                { X86_64_TABLES, ARCH_ARM64, 4096, 0 },
                { X86_64_TABLES, ARCH_OTHER, 4096, 0 },
                { "---[ Linear Mapping start ]---\n0x0-0x1 1G PUD RW AF BLK MEM/NORMAL", ARCH_ARM64, 4096, 1 << 30 },
                { "---[ Linear Mapping start ]---\n0x0-0x1 1G PUD RW AF CON MEM/NORMAL", ARCH_ARM64, 4096, 0 },
                { "---[ Linear Mapping start ]---\n0x0-0x1 32M PMD RW CON BLK MEM/NORMAL", ARCH_ARM64, 4096, 32 << 20 },
                { "---[ Linear Mapping start ]---\n0x0-0x1 1G PGD RW AF BLK MEM/NORMAL", ARCH_ARM64, 65536, 0 },
                { "---[ Linear Mapping start ]---\n0x0-0x1 1G PUD\n", ARCH_ARM64, 4096, 0 },
                { "0x0-0x1 1G PUD RW AF BLK MEM/NORMAL\n", ARCH_ARM64, 4096, 0 },
                { "", ARCH_X86_64, 4096, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct machine machine = { cases[i].arch, cases[i].page_size_bytes, true };
                uint64_t leaf_bytes = 0;

                assert_int_equal(page_tables_parse(cases[i].text, &machine, &leaf_bytes),
                                 cases[i].leaf_bytes ? 0 : -EBADMSG);
                assert_int_equal(leaf_bytes, cases[i].leaf_bytes);
        }
        (void)state;
}

static void page_tables_are_read_if_asked_for(void **state) {
        const struct inventory_options with_tables = { .flags = INVENTORY_PAGE_TABLES,
                                                       .assume_granularity_bytes = UINT64_C(1) << 33,
                                                       .page_size_bytes = 4096 };
        const struct inventory_options without = { .page_size_bytes = 4096 };

        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        sysroot_write(&sysroot, "proc/iomem", "140000000-1bfffffff : System RAM\n");
        struct inventory *inventory = read_with(&with_tables);
        assert_range(inventory, 0, "est0 40-55 node0 other - 8589934592 configured unknown");
        inventory_free(inventory);

        sysroot_write(&sysroot, "sys/kernel/debug/kernel_page_tables", ARM64_TABLES);
        inventory = read_with(&with_tables);
        assert_range(inventory, 0, "est0 40-55 node0 other - 134217728 page-tables unknown");
        assert_int_equal(inventory->source, GRANULARITY_SOURCE_PAGE_TABLES);
        inventory_free(inventory);
        inventory = read_with(&without);
        assert_range(inventory, 0, "est0 40-55 node0 other - 1073741824 estimated unknown");
        inventory_free(inventory);
        (void)state;
}

static void stock_kernel_with_iomem(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 8, 8, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 16, 8, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 64, 8, 0, "online", "Movable");
        sysroot_add_blocks(&sysroot, 72, 8, 1, "online", "Movable");
        sysroot_add_blocks(&sysroot, 96, 8, 1, "online", "Movable");
        sysroot_add_blocks(&sysroot, 120, 8, 1, "online", "Movable");
        sysroot_add_blocks(&sysroot, 160, 2, 1, "online", "Normal");
        sysroot_add_blocks(&sysroot, 168, 8, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 176, 8, 0, "online", "Normal");
        add_acpi_device("PNP0C80:00", 64, 8);
        sysroot_write(&sysroot, "proc/iomem",
                      "00000000-00000fff : Reserved\n"
                      "40000000-7fffffff : System RAM\n"
                      "  40010000-413fffff : Kernel code\n"
                      "  41400000-4174ffff : reserved\n"
                      "80000000-bffeffff : System RAM\n"
                      "140000000-1bfffffff : System RAM\n"
                      "200000000-23fffffff : System RAM\n"
                      "240000000-27fffffff : CXL Window 0\n"
                      "  240000000-27fffffff : region0\n"
                      "    240000000-27fffffff : dax0.0\n"
                      "      240000000-27fffffff : System RAM (kmem)\n"
                      "300000000-33fffffff : virtio3\n"
                      "  300000000-33fffffff : System RAM (virtio_mem)\n"
                      "3c0000000-3ffffffff : System RAM (mydriver)\n"
                      "540000000-57fffffff : System RAM\n"
                      "  540000000-54000ffff : reserved\n"
                      "580000000-5bfffffff : System RAM\n"
                      "  590000000-59fffffff : Crash kernel\n"
                      "garbage\n");

        struct inventory *inventory = read_all();
        assert_described(inventory,
                         "8-23 node0 online Normal boot -; 40-55 node0 online Movable unknown est0; "
                         "64-71 node0 online Movable hot-added est1; 72-79 node1 online Movable hot-added est2; "
                         "96-103 node1 online Movable hot-added est3; 120-127 node1 online Movable hot-added est4; "
                         "160-161 node1 online Normal unknown est5; 168-183 node0 online Normal boot -");
        assert_range(inventory, 0, "est0 40-55 node0 other - 1073741824 estimated unknown");
        assert_range(inventory, 1, "est1 64-71 node0 acpi PNP0C80:00 1073741824 estimated hot-added");
        assert_range(inventory, 2, "est2 72-79 node1 dax dax0.0 1073741824 estimated hot-added");
        assert_range(inventory, 3, "est3 96-103 node1 virtio-mem virtio3 1073741824 estimated hot-added");
        assert_range(inventory, 4, "est4 120-127 node1 other - 1073741824 estimated hot-added");
        assert_string_equal(inventory->ranges[4].name, "System RAM (mydriver)");
        assert_range(inventory, 5, "est5 160-161 node1 other - 1073741824 estimated unknown");
        assert_int_equal(inventory->guard, GUARD_NONE);
        assert_int_equal(inventory->source, GRANULARITY_SOURCE_ESTIMATED);
        assert_int_equal(inventory->next_estimate, 6);
        inventory_free(inventory);

        /* What AssumeGranularity= says replaces the estimate. */
        inventory = read_with(&(struct inventory_options){ .assume_granularity_bytes = 2 << 20 });
        assert_range(inventory, 0, "est0 40-55 node0 other - 134217728 configured unknown");
        assert_int_equal(inventory->source, GRANULARITY_SOURCE_CONFIGURED);
        assert_int_equal(inventory->extents.items[0].zone, ZONE_NONE);
        assert_false(inventory->has_zones);
        inventory_free(inventory);
        (void)state;
}

static void stock_kernel_without_addresses(void **state) {
        static const char *const texts[] = {
                NULL,
                "",
                "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n00000000-00000000 : System RAM\n",
        };
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 0, 1, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 8, 8, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 16, 4, 1, "online", "Normal");
        sysroot_add_blocks(&sysroot, 40, 16, 1, "offline", "Normal Movable");
        add_dax_device("dax0.0", "../../../../bus/dax/drivers/kmem", 40 * GIB / 8, 2 * GIB);
        add_dax_device("dax1.0", "../../../../bus/dax/drivers/device_dax", 16 * GIB / 8, GIB / 2);

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                if (texts[i])
                        sysroot_write(&sysroot, "proc/iomem", "%s", texts[i]);
                struct inventory *inventory = read_all();
                assert_described(inventory,
                                 "0-0 node0 online Normal unknown est0; 8-15 node0 online Normal unknown est1; "
                                 "16-19 node1 online Normal unknown est2; 40-55 node1 offline - hot-added est3");
                assert_range(inventory, 3, "est3 40-55 node1 dax dax0.0 1073741824 estimated hot-added");
                inventory_free(inventory);
        }

        /* The fd that the service manager has opened tells more than the file does. */
        sysroot_write(&sysroot, "privileged", "%s",
                      "40000000-9fffffff : System RAM\n  40010000-413fffff : Kernel code\n");
        sysfs.iomem_fd = openat(sysfs.root_fd, "privileged", O_RDONLY | O_CLOEXEC);
        struct inventory *inventory = read_all();
        assert_described(inventory,
                         "0-0 node0 online Normal unknown est0; 8-15 node0 online Normal boot -; "
                         "16-19 node1 online Normal boot -; 40-55 node1 offline - hot-added est1");
        inventory_free(inventory);
        close(sysfs.iomem_fd);
        (void)state;
}

/* The numbers of what is still there stay; others are never given out again. */
static void estimates_keep_their_numbers(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 8, 0, "online", "Normal");
        sysroot_add_blocks(&sysroot, 64, 8, 0, "online", "Normal");
        struct inventory *first = read_all();
        assert_int_equal(first->n_ranges, 2);

        sysroot_add_blocks(&sysroot, 32, 4, 0, "online", "Normal");
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory40");
        struct inventory *second = read_with(&(struct inventory_options){ .previous = first });
        assert_int_equal(second->n_ranges, 3);
        assert_int_equal(second->ranges[0].number, 2);
        assert_int_equal(second->ranges[1].number, 3);
        assert_int_equal(second->ranges[1].span.first_block, 41);
        assert_int_equal(second->ranges[2].number, 1);
        assert_int_equal(second->next_estimate, 4);

        /* A run that grew is another one. */
        sysroot_add_blocks(&sysroot, 72, 1, 0, "online", "Normal");
        struct inventory *grown = read_with(&(struct inventory_options){ .previous = second });
        assert_int_equal(grown->ranges[2].span.first_block, 64);
        assert_int_equal(grown->ranges[2].number, 4);
        inventory_free(grown);
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory72");

        /* A list of known estimates in no order and without a counter serves as well. */
        struct inventory *third = NULL;
        second->next_estimate = 0;
        third = read_with(&(struct inventory_options){ .previous = second });
        assert_int_equal(third->next_estimate, 4);
        inventory_free(first);
        inventory_free(second);
        inventory_free(third);
        (void)state;
}

static void machines(void **state) {
        static const struct {
                const char *arch, *cpuinfo, *release, *block_size;
                uint64_t page_size_option;
                enum machine_arch machine;
                uint64_t page_size;
                bool has_1g_pages;
                enum kernel_guard guard;
                uint64_t estimate;
        } cases[] = {
                { "aarch64", NULL, "6.12.1", "8000000", 0, ARCH_ARM64, 4096, true, GUARD_NONE, GIB },
                { "aarch64", NULL, "7.0.9", "8000000", 16384, ARCH_ARM64, 16384, true, GUARD_NONE, GIB },
                { "aarch64", NULL, "7.1.0-rc1", "20000000", 0, ARCH_ARM64, 65536, true, GUARD_OFFLINE, 16 * GIB },
                { "aarch64", NULL, "10.0", "20000000", 65536, ARCH_ARM64, 65536, true, GUARD_OFFLINE, 16 * GIB },
                { "x86_64", "flags\t\t: fpu lm pdpe1gb sse\n", "7.1.0", "8000000", 0, ARCH_X86_64, 4096, true,
                  GUARD_NONE, GIB },
                { "x86_64", "flags\t\t: fpu lm sse pdpe1gbx\n", "6.1", "8000000", 0, ARCH_X86_64, 4096, false,
                  GUARD_NONE, GIB / 8 },
                { "ppc64le", NULL, "6.12.1", "8000000", 0, ARCH_OTHER, 4096, true, GUARD_NONE, 0 },
                { NULL, "processor\t: 0\nCPU implementer\t: 0x41\n", "garbage", "8000000", 0, ARCH_ARM64, 4096, true,
                  GUARD_UNKNOWN, GIB },
                { NULL, "processor\t: 0\nflags\t\t: fpu lm\n", NULL, "80000000", 0, ARCH_X86_64, 4096, false,
                  GUARD_UNKNOWN, 2 * GIB },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                teardown(state);
                setup(state);
                sysroot_add_blocks(&sysroot, 8, 8, -1, "online", "Normal");
                sysroot_write(&sysroot, "sys/devices/system/memory/block_size_bytes", "%s\n", cases[i].block_size);
                if (cases[i].arch)
                        sysroot_write(&sysroot, "proc/sys/kernel/arch", "%s\n", cases[i].arch);
                if (cases[i].cpuinfo)
                        sysroot_write(&sysroot, "proc/cpuinfo", "%s", cases[i].cpuinfo);
                if (cases[i].release)
                        sysroot_write(&sysroot, "proc/sys/kernel/osrelease", "%s\n", cases[i].release);

                struct inventory *inventory =
                        read_with(&(struct inventory_options){ .page_size_bytes = cases[i].page_size_option });
                assert_int_equal(inventory->machine.arch, cases[i].machine);
                assert_int_equal(inventory->machine.page_size_bytes, cases[i].page_size);
                assert_int_equal(inventory->machine.has_1g_pages, cases[i].has_1g_pages);
                assert_int_equal(inventory->guard, cases[i].guard);
                assert_int_equal(inventory->n_ranges, 1);
                assert_int_equal(inventory->ranges[0].removal_granularity_bytes, cases[i].estimate);
                assert_int_equal(inventory->extents.items[0].node, NODE_NONE);
                assert_string_equal(inventory->auto_online, "");
                inventory_free(inventory);
        }
        (void)state;
}

static void one_block_changes(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        sysroot_add_range(&sysroot, 0, 40, 16, 0, "System RAM", "1073741824");
        struct inventory *inventory = read_all();

        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), 0);
        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "offline\n");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), 1);
        assert_described(inventory,
                         "40-43 node0 online Movable hot-added range0; 44-44 node0 offline - hot-added range0; "
                         "45-55 node0 online Movable hot-added range0");
        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "online\n");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), 1);
        assert_int_equal(inventory->extents.n, 1);

        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory55");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 55), 1);
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 55), 0);
        assert_described(inventory, "40-54 node0 online Movable hot-added range0");
        assert_false(inventory->estimates_stale);

        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "confused\n");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), -EBADMSG);
        assert_described(inventory, "40-54 node0 online Movable hot-added range0");
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
                assert_int_equal(inventory_refresh_block(inventory, &sysfs, block), 1);
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
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), 1);
        assert_false(inventory->estimates_stale);
        inventory_free(inventory);
        (void)state;
}

static void blocks_under_estimates_make_them_stale(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        struct inventory *inventory = read_all();

        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "offline\n");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 44), 1);
        assert_false(inventory->estimates_stale);
        sysroot_add_blocks(&sysroot, 56, 1, 0, "offline", "Movable");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 56), 1);
        assert_true(inventory->estimates_stale);
        inventory->estimates_stale = false;
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory40");
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 40), 1);
        assert_true(inventory->estimates_stale);

        struct inventory *again = read_with(&(struct inventory_options){ .previous = inventory });
        assert_int_equal(again->n_ranges, 1);
        assert_int_equal(again->ranges[0].span.first_block, 41);
        assert_int_equal(again->ranges[0].span.n_blocks, 16);
        assert_int_equal(again->ranges[0].number, 1);
        inventory_free(inventory);
        inventory_free(again);
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
        assert_int_equal(inventory_refresh_block(inventory, &sysfs, 3), 0);
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(kernel_with_the_bus),
                TEST(the_largest_leaf_of_the_linear_map),
                TEST(page_tables_are_read_if_asked_for),
                TEST(stock_kernel_with_iomem),
                TEST(a_line_is_one_range_while_its_blocks_come),
                TEST(stock_kernel_without_addresses),
                TEST(estimates_keep_their_numbers),
                TEST(machines),
                TEST(one_block_changes),
                TEST(ranges_come_and_go),
                TEST(blocks_under_estimates_make_them_stale),
                TEST(few_system_calls),
                TEST(a_block_in_two_nodes_counts_to_the_lowest),
                TEST(threads_make_no_difference),
                TEST(faults),
                TEST(odd_ranges),
                TEST(platform_drivers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
