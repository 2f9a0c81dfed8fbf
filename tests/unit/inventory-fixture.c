/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "inventory-fixture.h"
#include "test.h"

struct sysroot sysroot;
struct sysfs sysfs;
struct sysfs_ops ops;

int setup(void **state) {
        (void)state;
        sysroot_make(&sysroot);
        ops = sysfs_ops_default;
        return sysfs_open(sysroot.path, &ops, &sysfs);
}

int teardown(void **state) {
        (void)state;
        sysfs_close(&sysfs);
        sysroot_remove(&sysroot);
        return 0;
}

struct inventory *read_with(const struct inventory_options *options) {
        struct inventory *inventory = NULL;

        assert_int_equal(inventory_read(&sysfs, options, &inventory), 0);
        return inventory;
}

struct inventory *read_all(void) {
        return read_with(&(struct inventory_options){ .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY });
}

char *describe(const struct inventory *inventory) {
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

void assert_described(const struct inventory *inventory, const char *expected) {
        char *text = describe(inventory);

        assert_string_equal(text, expected);
        free(text);
}

void assert_range(const struct inventory *inventory, size_t i, const char *expected) {
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

void add_acpi_device(const char *name, uint64_t first, uint64_t n) {
        char path[128], target[128];

        snprintf(path, sizeof(path), "sys/bus/acpi/devices/%s/path", name);
        sysroot_write(&sysroot, path, "\\_SB_\n");
        for (uint64_t block = first; block < first + n; block++) {
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/firmware_node", block);
                snprintf(target, sizeof(target), "../../../LNXSYSTM:00/LNXSYBUS:00/%s", name);
                sysroot_link(&sysroot, path, target);
        }
}

void add_dax_device(const char *name, const char *driver, uint64_t start, uint64_t n_bytes) {
        char path[128];

        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/resource", name);
        sysroot_write(&sysroot, path, "0x%" PRIx64 "\n", start);
        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/size", name);
        sysroot_write(&sysroot, path, "%" PRIu64 "\n", n_bytes);
        snprintf(path, sizeof(path), "sys/bus/dax/devices/%s/driver", name);
        sysroot_link(&sysroot, path, driver);
}
