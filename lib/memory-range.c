/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"
#include "iomem.h"
#include "memory-range.h"
#include "util.h"

#define DAX_DEVICES "sys/bus/dax/devices"
#define PATH_SIZE   128
/* Resource names are a few words; a page is what the attribute can hold at most. */
#define NAME_SIZE 4097

void dax_devices_clear(struct dax_devices *devices) {
        if (!devices)
                return;

        for (size_t i = 0; i < devices->n; i++)
                free(devices->items[i].name);
        free(devices->items);
        *devices = (struct dax_devices){ 0 };
}

struct span dax_device_span(const struct dax_device *device, uint64_t block_size_bytes) {
        uint64_t first = device->start / block_size_bytes + (device->start % block_size_bytes != 0);
        uint64_t end = (device->start + device->n_bytes) / block_size_bytes;

        return end > first ? (struct span){ first, end - first } : (struct span){ 0, 0 };
}

struct dax_walk {
        const struct sysfs *sysfs;
        struct dax_devices devices;
};

static int read_dax_device(const char *name, void *userdata) {
        struct dax_walk *walk = userdata;
        int root_fd = walk->sysfs->root_fd;
        char path[PATH_SIZE + NAME_SIZE], driver[64];
        struct dax_device device = { 0 };
        uint64_t end;

        snprintf(path, sizeof(path), DAX_DEVICES "/%s/driver", name);
        if (sysfs_readlink_name_at(walk->sysfs, root_fd, path, driver, sizeof(driver)) < 0 ||
            strcmp(driver, "kmem") != 0)
                return 0;
        snprintf(path, sizeof(path), DAX_DEVICES "/%s/resource", name);
        if (sysfs_read_u64_at(walk->sysfs, root_fd, path, 0, &device.start) < 0)
                return 0;
        snprintf(path, sizeof(path), DAX_DEVICES "/%s/size", name);
        if (sysfs_read_u64_at(walk->sysfs, root_fd, path, 0, &device.n_bytes) < 0 ||
            __builtin_add_overflow(device.start, device.n_bytes, &end))
                return 0;

        struct dax_device *items = reallocarray(walk->devices.items, walk->devices.n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        walk->devices.items = items;

        device.name = strdup(name);
        if (!device.name)
                return -ENOMEM;
        items[walk->devices.n++] = device;
        return 0;
}

static int compare_dax_devices(const void *a, const void *b) {
        const struct dax_device *x = a, *y = b;

        return (x->start > y->start) - (x->start < y->start);
}

int dax_devices_read(const struct sysfs *sysfs, struct dax_devices *ret) {
        struct dax_walk walk = { .sysfs = sysfs };

        if (sysfs_list(sysfs, DAX_DEVICES, read_dax_device, &walk) == -ENOMEM) {
                dax_devices_clear(&walk.devices);
                return -ENOMEM;
        }
        if (walk.devices.n > 1)
                qsort(walk.devices.items, walk.devices.n, sizeof(*walk.devices.items), compare_dax_devices);
        *ret = walk.devices;
        return 0;
}

char *acpi_device_name(uint32_t acpi) {
        return format_string("PNP0C80:%02" PRIx32, acpi);
}

static int read_number(const struct sysfs *sysfs, uint64_t number, const char *attribute, uint64_t *ret) {
        char path[PATH_SIZE];

        snprintf(path, sizeof(path), SYSFS_MEMORY_RANGE "/range%" PRIu64 "/%s", number, attribute);
        return sysfs_read_u64_at(sysfs, sysfs->root_fd, path, 0, ret);
}

static int read_name(const struct sysfs *sysfs, uint64_t number, char **ret) {
        char path[PATH_SIZE], name[NAME_SIZE];

        snprintf(path, sizeof(path), SYSFS_MEMORY_RANGE "/range%" PRIu64 "/name", number);
        ssize_t n = sysfs_read_at(sysfs, sysfs->root_fd, path, name, sizeof(name));
        if (n < 0)
                return (int)n;

        *ret = strdup(name);
        return *ret ? 0 : -ENOMEM;
}

/* "unknown" is an answer; what cannot be read or is no number is none. Returns whether the kernel answered. */
static bool read_granularity(const struct sysfs *sysfs, uint64_t number, const char *attribute, uint64_t *ret) {
        char path[PATH_SIZE], word[32];

        *ret = GRANULARITY_UNKNOWN;
        snprintf(path, sizeof(path), SYSFS_MEMORY_RANGE "/range%" PRIu64 "/%s", number, attribute);
        ssize_t n = sysfs_read_at(sysfs, sysfs->root_fd, path, word, sizeof(word));
        if (n < 0)
                return false;
        return strcmp(word, "unknown") == 0 || parse_u64(word, (size_t)n, 10, ret) == 0;
}

/* Who added the range and whose device it is, from its name, its first block and the dax devices. */
static int read_device(const struct sysfs *sysfs, const struct range_reading *reading, struct range *range) {
        range->driver = driver_of_resource_name(range->name);

        if (range->driver == DRIVER_DAX)
                for (size_t i = 0; i < reading->dax->n; i++) {
                        struct span span = dax_device_span(&reading->dax->items[i], reading->block_size_bytes);
                        if (span_intersect(span, range->span).n_blocks != range->span.n_blocks)
                                continue;
                        range->device = strdup(reading->dax->items[i].name);
                        return range->device ? 0 : -ENOMEM;
                }
        if (strcmp(range->name, "System RAM") != 0)
                return 0;

        int memory_fd = sysfs_open_directory(sysfs, SYSFS_MEMORY);
        uint32_t acpi = memory_fd < 0 ? ACPI_NONE : block_read_acpi(sysfs, memory_fd, range->span.first_block);
        sysfs_close_fd(sysfs, memory_fd);
        range->driver = acpi == ACPI_NONE ? reading->platform_driver : DRIVER_ACPI;
        range->device = acpi == ACPI_NONE ? NULL : acpi_device_name(acpi);
        return acpi == ACPI_NONE || range->device ? 0 : -ENOMEM;
}

int range_read(const struct sysfs *sysfs, uint64_t number, const struct range_reading *reading, struct range *ret) {
        struct range range = { .number = number, .exported = true, .kind = KIND_HOT_ADDED };
        uint64_t start, n_bytes, node, end;

        int r = read_number(sysfs, number, "start", &start);
        if (r == 0)
                r = read_number(sysfs, number, "size", &n_bytes);
        if (r < 0)
                return r == -ENODEV ? -ENOENT : r;

        uint64_t block_size_bytes = reading->block_size_bytes;
        if (__builtin_add_overflow(start, n_bytes, &end))
                return -ENOENT;
        range.span = dax_device_span(&(struct dax_device){ .start = start, .n_bytes = n_bytes }, block_size_bytes);
        if (range.span.n_blocks == 0)
                return -ENOENT;

        /* The node is -1 where the kernel has none: that is no number to read_number(). */
        r = read_number(sysfs, number, "node", &node);
        range.node = r == 0 && node <= INT32_MAX ? (int)node : NODE_NONE;

        bool mapping_known = read_granularity(sysfs, number, "mapping_granularity", &range.mapping_granularity_bytes);
        bool removal_known = read_granularity(sysfs, number, "removal_granularity", &range.removal_granularity_bytes);
        range.source = mapping_known && removal_known ? GRANULARITY_SOURCE_KERNEL : GRANULARITY_SOURCE_UNKNOWN;

        r = read_name(sysfs, number, &range.name);
        if (r == 0)
                r = read_device(sysfs, reading, &range);
        if (r < 0) {
                range_clear(&range);
                return r == -ENODEV ? -ENOENT : r;
        }
        *ret = range;
        return 0;
}

struct range_walk {
        const struct sysfs *sysfs;
        const struct range_reading *reading;
        struct range_list list;
};

static int read_entry(const char *name, void *userdata) {
        struct range_walk *walk = userdata;
        struct range range;
        uint64_t number;

        if (parse_prefixed_number(name, "range", &number) < 0)
                return 0;

        int r = range_read(walk->sysfs, number, walk->reading, &range);
        if (r == -ENOENT)
                return 0;
        if (r == 0) {
                r = range_list_append(&walk->list, &range);
                range_clear(&range);
        }
        return r;
}

int range_list_read(const struct sysfs *sysfs, const struct range_reading *reading, struct range_list *ret) {
        struct range_walk walk = { .sysfs = sysfs, .reading = reading };

        int r = sysfs_list(sysfs, SYSFS_MEMORY_RANGE, read_entry, &walk);
        if (r < 0) {
                range_list_clear(&walk.list);
                return r;
        }
        *ret = walk.list;
        return 0;
}
