/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bus/memory_range: Documentation/ABI/testing/sysfs-bus-memory_range of the kernel patch */

#include <errno.h>
#include <inttypes.h>

#include "attributes.h"
#include "hotplug.h"
#include "synthetic.h"

static const struct range *find(const struct simulation *simulation, uint64_t number) {
        return machine_find_range(&simulation->machine, number);
}

int show_range_start(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        if (!range)
                return -ENODEV;
        (void)fprintf(out, "0x%" PRIx64 "\n", range->start);
        return 0;
}

int show_range_size(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        if (!range)
                return -ENODEV;
        (void)fprintf(out, "%" PRIu64 "\n", range->size);
        return 0;
}

int show_range_node(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        if (!range)
                return -ENODEV;
        (void)fprintf(out, "%d\n", range->node);
        return 0;
}

int show_range_name(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        if (!range)
                return -ENODEV;
        (void)fprintf(out, "%s\n", range->name);
        return 0;
}

static int print_granularity(uint64_t bytes, FILE *out) {
        if (bytes)
                (void)fprintf(out, "%" PRIu64 "\n", bytes);
        else
                (void)fputs("unknown\n", out);
        return 0;
}

int show_range_mapping(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        return range ? print_granularity(range_mapping_granularity(&simulation->machine, range), out) : -ENODEV;
}

int show_range_removal(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);

        return range ? print_granularity(range_removal_granularity(&simulation->machine, range), out) : -ENODEV;
}

int show_range_uevent(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct range *range = find(simulation, object);
        char properties[256];

        if (!range)
                return -ENODEV;
        range_properties(range, properties, sizeof(properties));
        (void)fputs(properties, out);
        return 0;
}

int store_range_uevent(struct simulation *simulation, uint64_t object, const char *text) {
        const struct range *range = find(simulation, object);
        char device[64], properties[256];

        if (!range)
                return -ENODEV;
        (void)snprintf(device, sizeof(device), "/devices/virtual/memory_range/range%" PRIu64, object);
        range_properties(range, properties, sizeof(properties));
        return synthetic_uevent(simulation->machine.uevents, device, "memory_range", properties, text);
}

int link_bus_range(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "../../../devices/virtual/memory_range/range%" PRIu64, object);
        return 0;
}
