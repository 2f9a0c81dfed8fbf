/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "estimate.h"
#include "util.h"

/* What a block belongs to: blocks with equal origins next to each other are one run. */
struct origin {
        enum {
                ORIGIN_BOOT,
                ORIGIN_KNOWN,
                ORIGIN_DAX,
                ORIGIN_ACPI,
                ORIGIN_IOMEM,
                ORIGIN_UNTOLD,
        } type;
        size_t index; /* of the dax device or iomem entry, or the number of the ACPI device */
};

/*
 * Where the walk over the blocks has come to in the lists beside it: each is in address order, so nothing is
 * looked up.
 */
struct cursor {
        const struct estimating *estimating;
        size_t known, dax, iomem;
};

static bool in_known(struct cursor *cursor, uint64_t block) {
        const struct span_list *known = cursor->estimating->known;

        while (cursor->known < known->n && span_end(&known->items[cursor->known]) <= block)
                cursor->known++;
        return cursor->known < known->n && known->items[cursor->known].first_block <= block;
}

static bool in_dax(struct cursor *cursor, uint64_t block) {
        const struct dax_devices *dax = cursor->estimating->dax;

        for (; cursor->dax < dax->n; cursor->dax++) {
                struct span span = dax_device_span(&dax->items[cursor->dax], cursor->estimating->block_size_bytes);
                if (span_end(&span) > block)
                        return span.first_block <= block;
        }
        return false;
}

/* The entry that says most of the block: boot memory if any of the lines that touch it does. */
static const struct iomem_entry *in_iomem(struct cursor *cursor, uint64_t block) {
        const struct iomem *iomem = cursor->estimating->iomem;
        const struct iomem_entry *found = NULL;

        while (cursor->iomem < iomem->n && span_end(&iomem->items[cursor->iomem].span) <= block)
                cursor->iomem++;
        for (size_t i = cursor->iomem; i < iomem->n && iomem->items[i].span.first_block <= block; i++)
                if (span_end(&iomem->items[i].span) > block && (!found || iomem->items[i].kind == KIND_BOOT))
                        found = &iomem->items[i];
        return found;
}

static struct origin origin_of(struct cursor *cursor, const struct block *block) {
        if (in_known(cursor, block->number))
                return (struct origin){ .type = ORIGIN_KNOWN };
        if (in_dax(cursor, block->number))
                return (struct origin){ ORIGIN_DAX, cursor->dax };
        if (block->acpi != ACPI_NONE)
                return (struct origin){ ORIGIN_ACPI, block->acpi };
        if (!cursor->estimating->iomem)
                return (struct origin){ .type = ORIGIN_BOOT };

        const struct iomem_entry *entry = in_iomem(cursor, block->number);
        if (!entry)
                return (struct origin){ .type = ORIGIN_UNTOLD };
        if (entry->kind == KIND_BOOT)
                return (struct origin){ .type = ORIGIN_BOOT };
        return (struct origin){ ORIGIN_IOMEM, (size_t)(entry - cursor->estimating->iomem->items) };
}

/* Fills in name, device, driver and kind. Returns 0, -ENOMEM. */
static int describe(const struct estimating *estimating, const struct origin *origin, struct range *range) {
        const char *name = "System RAM", *device = NULL;
        _cleanup_free_ char *acpi_name = NULL;

        range->kind = KIND_HOT_ADDED;
        switch (origin->type) {
        case ORIGIN_DAX:
                name = "System RAM (kmem)";
                device = estimating->dax->items[origin->index].name;
                range->driver = DRIVER_DAX;
                break;
        case ORIGIN_ACPI:
                acpi_name = acpi_device_name((uint32_t)origin->index);
                if (!acpi_name)
                        return -ENOMEM;
                device = acpi_name;
                range->driver = DRIVER_ACPI;
                break;
        case ORIGIN_IOMEM: {
                const struct iomem_entry *entry = &estimating->iomem->items[origin->index];
                name = entry->name;
                device = entry->device;
                range->kind = entry->kind;
                range->driver = entry->kind == KIND_UNKNOWN ? estimating->platform_driver : entry->driver;
                break;
        }
        case ORIGIN_UNTOLD:
        case ORIGIN_BOOT:
        case ORIGIN_KNOWN:
                range->kind = KIND_UNKNOWN;
                range->driver = estimating->platform_driver;
                break;
        }

        range->name = strdup(name);
        range->device = device ? strdup(device) : NULL;
        return range->name && (range->device || !device) ? 0 : -ENOMEM;
}

static uint64_t number_of(const struct estimating *estimating, struct span span, uint64_t *next_number) {
        for (size_t i = 0; i < estimating->n_previous; i++) {
                const struct range *range = &estimating->previous[i];
                if (!range->exported && range->span.first_block == span.first_block &&
                    range->span.n_blocks == span.n_blocks)
                        return range->number;
        }
        return (*next_number)++;
}

static int append_run(const struct estimating *estimating, const struct origin *origin, struct span span, int node,
                      struct range_list *list, uint64_t *next_number) {
        uint64_t granularity_bytes = estimating->granularity_bytes;
        if (granularity_bytes != GRANULARITY_UNKNOWN)
                granularity_bytes = MAX(granularity_bytes, estimating->block_size_bytes);

        struct range range = {
                .span = span,
                .node = node,
                .mapping_granularity_bytes = granularity_bytes,
                .removal_granularity_bytes = granularity_bytes,
                .source = estimating->source,
        };
        int r = describe(estimating, origin, &range);
        if (r == 0) {
                range.number = number_of(estimating, span, next_number);
                r = range_list_append(list, &range);
        }
        range_clear(&range);
        return r;
}

/* Blocks of one line of /proc/iomem belong together even where some between them are not there. */
static bool continues_run(const struct origin *run_origin, struct span run, int run_node, const struct origin *origin,
                          const struct block *block) {
        return run.n_blocks > 0 && block->node == run_node && origin->type == run_origin->type &&
               origin->index == run_origin->index && (block->number == span_end(&run) || origin->type == ORIGIN_IOMEM);
}

/*
 * A line of /proc/iomem is there before its blocks, and goes after them: the range is all of it, as far as no block of
 * something else lies there. `first_free` to `next_taken`: where no other blocks are.
 */
static struct span whole_line(const struct estimating *estimating, const struct origin *origin, struct span run,
                              uint64_t first_free, uint64_t next_taken) {
        if (origin->type != ORIGIN_IOMEM)
                return run;

        struct span line = estimating->iomem->items[origin->index].span;
        uint64_t first = MAX(line.first_block, first_free);
        return (struct span){ first, MIN(span_end(&line), next_taken) - first };
}

int estimate_ranges(const struct block_table *table, const struct estimating *estimating, struct range_list *list,
                    uint64_t *next_number) {
        struct cursor cursor = { .estimating = estimating };
        struct origin run_origin = { .type = ORIGIN_BOOT };
        struct span run = { 0, 0 };
        int run_node = NODE_NONE;
        uint64_t first_free = 0; /* behind what is before the run */

        for (size_t i = 0; i <= table->n; i++) {
                const struct block *block = i < table->n ? &table->items[i] : NULL;
                struct origin origin = { .type = ORIGIN_BOOT };
                if (block) {
                        origin = origin_of(&cursor, block);
                        if (continues_run(&run_origin, run, run_node, &origin, block)) {
                                run.n_blocks = block->number + 1 - run.first_block;
                                continue;
                        }
                }

                if (run.n_blocks > 0 && run_origin.type != ORIGIN_BOOT && run_origin.type != ORIGIN_KNOWN) {
                        struct span span = whole_line(estimating, &run_origin, run, first_free,
                                                      block ? block->number : UINT64_MAX);
                        int r = append_run(estimating, &run_origin, span, run_node, list, next_number);
                        if (r < 0)
                                return r;
                        run = span;
                }
                if (block) {
                        first_free = span_end(&run);
                        run = (struct span){ block->number, 1 };
                        run_origin = origin;
                        run_node = block->node;
                }
        }
        return 0;
}
