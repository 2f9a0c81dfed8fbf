/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ranges that no kernel exports, what they are estimated from, and what kind of machine that is. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inventory-fixture.h"
#include "page-tables.h"
#include "test.h"
#include "util.h"

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

static void blocks_under_estimates_make_them_stale(void **state) {
        sysroot_add_machine(&sysroot);
        sysroot_add_blocks(&sysroot, 40, 16, 0, "online", "Movable");
        struct inventory *inventory = read_all();

        sysroot_write(&sysroot, "sys/devices/system/memory/memory44/state", "offline\n");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 44, 1 }), 1);
        assert_false(inventory->estimates_stale);
        sysroot_add_blocks(&sysroot, 56, 1, 0, "offline", "Movable");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 56, 1 }), 1);
        assert_true(inventory->estimates_stale);
        inventory->estimates_stale = false;
        sysroot_unlink(&sysroot, "sys/devices/system/memory/memory40");
        assert_int_equal(inventory_refresh_blocks(inventory, &sysfs, (struct span){ 40, 1 }), 1);
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

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(stock_kernel_with_iomem),
                TEST(stock_kernel_without_addresses),
                TEST(a_line_is_one_range_while_its_blocks_come),
                TEST(estimates_keep_their_numbers),
                TEST(blocks_under_estimates_make_them_stale),
                TEST(machines),
                TEST(the_largest_leaf_of_the_linear_map),
                TEST(page_tables_are_read_if_asked_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
