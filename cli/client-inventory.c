/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client-read.h"
#include "client.h"
#include "util.h"

/* Rows asked for in one ListExtents: its most. */
#define EXTENTS_PER_CALL 10000
/* A machine that changes faster than it can be read is shown as it was at several moments. */
#define MAX_ATTEMPTS 3

struct range_policy *range_policies_free(struct range_policy *policies, size_t n) {
        for (size_t i = 0; policies && i < n; i++) {
                free(policies[i].name);
                free(policies[i].file);
                free(policies[i].reason);
        }
        free(policies);
        return NULL;
}

/* A range and its policy while they are read: sorted together, then split. */
struct range_reading {
        struct range range;
        struct range_policy policy;
        uint64_t start, size_bytes;
};

struct range_readings {
        uint64_t block_size_bytes;
        struct range_reading *items;
        size_t n;
        size_t n_allocated;
};

static int read_range_property(sd_bus_message *message, const char *name, void *userdata) {
        struct range_reading *reading = userdata;
        struct range *range = &reading->range;

        if (strcmp(name, "Start") == 0)
                return sd_bus_message_read(message, "t", &reading->start);
        if (strcmp(name, "Size") == 0)
                return sd_bus_message_read(message, "t", &reading->size_bytes);
        if (strcmp(name, "Node") == 0)
                return sd_bus_message_read(message, "i", &range->node);
        if (strcmp(name, "Name") == 0)
                return client_read_text(message, &range->name);
        if (strcmp(name, "Device") == 0)
                return client_read_text(message, &range->device);
        if (strcmp(name, "Driver") == 0)
                return READ_WORD(message, range_driver_to_string, _RANGE_DRIVER_MAX, &range->driver);
        if (strcmp(name, "MappingGranularity") == 0)
                return sd_bus_message_read(message, "t", &range->mapping_granularity_bytes);
        if (strcmp(name, "RemovalGranularity") == 0)
                return sd_bus_message_read(message, "t", &range->removal_granularity_bytes);
        if (strcmp(name, "GranularitySource") == 0)
                return READ_WORD(message, granularity_source_to_string, _GRANULARITY_SOURCE_MAX, &range->source);
        if (strcmp(name, "Policy") == 0)
                return client_read_text(message, &reading->policy.name);
        if (strcmp(name, "PolicyFile") == 0)
                return client_read_text(message, &reading->policy.file);
        if (strcmp(name, "PolicyReason") == 0)
                return client_read_text(message, &reading->policy.reason);

        return sd_bus_message_skip(message, NULL);
}

/* /org/memctl1/range/range3, …/est7 */
static int parse_range_path(const char *path, struct range *range) {
        range->exported = parse_prefixed_number(path, MEMCTL_RANGE_PATH "range", &range->number) >= 0;

        return range->exported ? 0 : parse_prefixed_number(path, MEMCTL_RANGE_PATH "est", &range->number);
}

static void range_reading_clear(struct range_reading *reading) {
        free(reading->range.name);
        free(reading->range.device);
        free(reading->policy.name);
        free(reading->policy.file);
        free(reading->policy.reason);
}

static void range_readings_clear(struct range_readings *readings) {
        for (size_t i = 0; i < readings->n; i++)
                range_reading_clear(readings->items + i);
        free(readings->items);
}

static int read_range(sd_bus_message *message, const char *path, void *userdata) {
        struct range_readings *readings = userdata;
        struct range_reading reading = { .range = { .node = NODE_NONE } };
        struct range *range = &reading.range;
        struct range_reading *items;
        int r;

        items = array_grow(readings->items, &readings->n_allocated, readings->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        readings->items = items;

        r = parse_range_path(path, range);
        if (r >= 0)
                r = client_read_properties(message, read_range_property, &reading);
        if (r >= 0 && !range->name)
                r = -EBADMSG;
        if (r < 0) {
                range_reading_clear(&reading);
                return r;
        }

        /* The bus says "" where there is no device. */
        if (range->device && !*range->device) {
                free(range->device);
                range->device = NULL;
        }
        range->span = (struct span){ reading.start / readings->block_size_bytes,
                                     reading.size_bytes / readings->block_size_bytes };
        readings->items[readings->n++] = reading;
        return 0;
}

static int compare_readings(const void *a, const void *b) {
        const struct range_reading *x = a, *y = b;

        return x->start < y->start ? -1 : x->start > y->start;
}

static int read_ranges(struct client *client, struct inventory *inventory, struct range_policy **ret_policies,
                       sd_bus_error *error) {
        struct range_readings readings = { .block_size_bytes = client->block_size_bytes };
        struct range_policy *policies;
        struct range *ranges;
        int r;

        r = client_read_objects(client, MEMCTL_RANGE, read_range, &readings, error);
        if (r < 0) {
                range_readings_clear(&readings);
                return r;
        }

        ranges = calloc(readings.n + 1, sizeof *ranges);
        policies = calloc(readings.n + 1, sizeof *policies);
        if (!ranges || !policies) {
                free(ranges);
                free(policies);
                range_readings_clear(&readings);
                return -ENOMEM;
        }

        if (readings.n > 0)
                qsort(readings.items, readings.n, sizeof *readings.items, compare_readings);
        for (size_t i = 0; i < readings.n; i++) {
                ranges[i] = readings.items[i].range;
                policies[i] = readings.items[i].policy;
        }
        free(readings.items);

        inventory->ranges = ranges;
        inventory->n_ranges = readings.n;
        *ret_policies = policies;
        return 0;
}

/* The index of the range that holds the block; ranges are sorted and disjoint. */
static uint32_t find_range(const struct inventory *inventory, uint64_t block) {
        size_t low = 0, high = inventory->n_ranges;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct span *span = &inventory->ranges[middle].span;

                if (block < span->first_block)
                        high = middle;
                else if (block >= span_end(span))
                        low = middle + 1;
                else
                        return (uint32_t)middle;
        }

        return RANGE_NONE;
}

static int read_extent(sd_bus_message *message, const struct client *client, struct inventory *inventory,
                       uint64_t *end_address) {
        const char *zone, *state, *kind, *range;
        struct extent extent = { 0 };
        uint64_t start, size_bytes;
        int r;

        r = sd_bus_message_read(message, "(ttissso)", &start, &size_bytes, &extent.node, &zone, &state, &kind, &range);
        if (r <= 0)
                return r;

        extent.first_block = start / client->block_size_bytes;
        extent.n_blocks = size_bytes / client->block_size_bytes;
        extent.range = strcmp(range, "/") == 0 ? RANGE_NONE : find_range(inventory, extent.first_block);
        if (block_state_from_string(state, &extent.state) < 0 || block_kind_from_string(kind, &extent.kind) < 0)
                return -EBADMSG;
        if (*zone && block_zone_from_string(zone, &extent.zone) < 0)
                return -EBADMSG;
        if (extent.range != RANGE_NONE)
                inventory->ranges[extent.range].kind = extent.kind;

        r = extent_list_append(&inventory->extents, &extent);
        if (r < 0)
                return r;

        *end_address = start + size_bytes;
        return 1;
}

/* One page of extents behind an address. Returns 1 if there are more, 0 if not, -errno. */
static int read_extents_page(struct client *client, struct inventory *inventory, uint64_t *after, uint64_t *generation,
                             sd_bus_error *error) {
        sd_bus_message *message = NULL, *reply = NULL;
        int r, more;

        r = sd_bus_message_new_method_call(client->bus, &message, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER,
                                           "ListExtents");
        if (r >= 0)
                r = sd_bus_message_append(message, "a{sv}tu", 0, *after, EXTENTS_PER_CALL);
        if (r >= 0)
                r = sd_bus_call(client->bus, message, 0, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "t", generation);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ttissso)");
        while (r >= 0 && (r = read_extent(reply, client, inventory, after)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &more);

        sd_bus_message_unref(message);
        sd_bus_message_unref(reply);
        return r < 0 ? r : more;
}

/* Returns 1 if all of it is of one generation, 0 if the machine changed meanwhile, -errno. */
static int read_all(struct client *client, struct inventory *inventory, struct range_policy **ret_policies,
                    sd_bus_error *error) {
        uint64_t generation, after = 0;
        bool is_one = true;
        int r;

        r = client_read_manager(client, inventory, error);
        if (r < 0)
                return r;

        inventory->block_size_bytes = client->block_size_bytes;
        inventory->has_zones = true;
        r = read_ranges(client, inventory, ret_policies, error);
        if (r < 0)
                return r;

        do {
                r = read_extents_page(client, inventory, &after, &generation, error);
                if (r >= 0 && generation != client->generation)
                        is_one = false;
        } while (r > 0);

        return r < 0 ? r : is_one;
}

int client_read_inventory(struct client *client, struct inventory **ret, struct range_policy **ret_policies,
                          sd_bus_error *error) {
        int r = 0;

        for (unsigned attempt = 1; r == 0; attempt++) {
                struct inventory *inventory = calloc(1, sizeof *inventory);
                struct range_policy *policies = NULL;

                if (!inventory)
                        return -ENOMEM;

                r = read_all(client, inventory, &policies, error);
                if (r > 0 || (r == 0 && attempt == MAX_ATTEMPTS)) {
                        *ret = inventory;
                        *ret_policies = policies;
                        return 0;
                }

                range_policies_free(policies, inventory->n_ranges);
                inventory_free(inventory);
        }

        return r;
}
