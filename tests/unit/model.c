/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "test.h"
#include "util.h"

struct inventory *model_new(void) {
        struct inventory *inventory = calloc(1, sizeof(*inventory));

        assert_non_null(inventory);
        inventory->block_size_bytes = 128 * MIB;
        inventory->machine = (struct machine){ ARCH_ARM64, 4096, false };
        inventory->guard = GUARD_REMOVAL;
        inventory->has_zones = true;
        return inventory;
}

struct range *model_add_range(struct inventory *inventory, uint64_t number, uint64_t first, uint64_t n, int node,
                              enum range_driver driver, const char *device, uint64_t granularity) {
        static const char *const names[_RANGE_DRIVER_MAX] = {
                [DRIVER_ACPI] = "System RAM",    [DRIVER_DAX] = "System RAM (kmem)",
                [DRIVER_PSERIES] = "System RAM", [DRIVER_VIRTIO_MEM] = "System RAM (virtio_mem)",
                [DRIVER_S390] = "System RAM",    [DRIVER_OTHER] = "System RAM",
        };

        inventory->ranges = reallocarray(inventory->ranges, inventory->n_ranges + 1, sizeof(*inventory->ranges));
        assert_non_null(inventory->ranges);
        struct range *range = &inventory->ranges[inventory->n_ranges];
        *range = (struct range){
                .number = number,
                .exported = true,
                .span = { first, n },
                .node = node,
                .name = strdup(names[driver]),
                .device = device ? strdup(device) : NULL,
                .driver = driver,
                .kind = KIND_HOT_ADDED,
                .mapping_granularity_bytes = granularity,
                .removal_granularity_bytes = granularity,
                .source = GRANULARITY_SOURCE_KERNEL,
        };
        inventory->n_ranges++;
        model_set_blocks(inventory, first, n, node, BLOCK_OFFLINE, ZONE_NONE);
        return range;
}

void model_set_blocks(struct inventory *inventory, uint64_t first, uint64_t n, int node, enum block_state state,
                      enum block_zone zone) {
        for (uint64_t block = first; block < first + n; block++) {
                struct extent extent = {
                        .first_block = block,
                        .n_blocks = 1,
                        .node = node,
                        .range = RANGE_NONE,
                        .state = state,
                        .zone = zone,
                        .kind = KIND_BOOT,
                };
                for (size_t i = 0; i < inventory->n_ranges; i++)
                        if (span_intersect(inventory->ranges[i].span, (struct span){ block, 1 }).n_blocks > 0) {
                                extent.range = (uint32_t)i;
                                extent.kind = inventory->ranges[i].kind;
                        }
                assert_int_equal(extent_list_set(&inventory->extents, &extent), 0);
        }
}

void model_add_node_memory(struct inventory *inventory, int node, uint64_t total_bytes, uint64_t free_bytes) {
        inventory->nodes = reallocarray(inventory->nodes, inventory->n_nodes + 1, sizeof(*inventory->nodes));
        assert_non_null(inventory->nodes);
        inventory->nodes[inventory->n_nodes++] =
                (struct node_memory){ .node = node, .total_bytes = total_bytes, .free_bytes = free_bytes };
}

struct inventory *model_server(void) {
        struct inventory *inventory = model_new();

        model_set_blocks(inventory, 0, 16, 0, BLOCK_ONLINE, ZONE_NORMAL);
        model_add_range(inventory, 0, 40, 16, 0, DRIVER_ACPI, "PNP0C80:00", GIB);
        model_set_blocks(inventory, 40, 16, 0, BLOCK_ONLINE, ZONE_MOVABLE);
        model_add_range(inventory, 1, 72, 8, 1, DRIVER_DAX, "dax0.0", GIB);
        model_set_blocks(inventory, 72, 8, 1, BLOCK_ONLINE, ZONE_MOVABLE);
        model_add_range(inventory, 2, 88, 5, 1, DRIVER_OTHER, NULL, GIB);
        model_add_range(inventory, 3, 104, 2, 1, DRIVER_VIRTIO_MEM, NULL, 128 * MIB);
        model_set_blocks(inventory, 104, 2, 1, BLOCK_ONLINE, ZONE_NORMAL);
        model_add_node_memory(inventory, 0, 4 * GIB, 4 * GIB);
        model_add_node_memory(inventory, 1, 5 * GIB, 5 * GIB);
        return inventory;
}

void model_select(const char *words, uint64_t block_size_bytes, struct selector_list *ret) {
        char *copy = strdup(words), *rest = copy, *items[32], *message = NULL;
        size_t n = 0;

        for (char *word; (word = strsep(&rest, " "));)
                if (*word != '\0') {
                        assert_true(n < ARRAY_SIZE(items));
                        items[n++] = word;
                }
        int r = selector_list_parse(items, n, block_size_bytes, ret, &message);
        if (r < 0)
                print_error("%s\n", message ? message : "no message");
        assert_int_equal(r, 0);
        free(copy);
}

/* "word 40-47", behind a comma where it is not the first. */
static void append_span(FILE *stream, bool first, const char *word, struct span span) {
        fprintf(stream, "%s%s", first ? "" : ", ", word);
        if (span.n_blocks > 0)
                fprintf(stream, " %" PRIu64, span.first_block);
        if (span.n_blocks > 1)
                fprintf(stream, "-%" PRIu64, span_end(&span) - 1);
}

char *model_steps_to_string(const struct step *steps, size_t n) {
        char *text = NULL;
        size_t size;

        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        for (size_t i = 0; i < n; i++)
                append_span(stream, i == 0, step_state_word(&steps[i]), steps[i].span);
        assert_int_equal(fclose(stream), 0);
        return text;
}

char *model_refusals_to_string(const struct plan *plan) {
        char *text = NULL;
        size_t size;

        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        for (size_t i = 0; i < plan->n_refusals; i++)
                append_span(stream, i == 0, refusal_reason_to_string(plan->refusals[i].reason), plan->refusals[i].span);
        assert_int_equal(fclose(stream), 0);
        return text;
}
