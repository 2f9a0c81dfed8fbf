/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "family.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "devices.h"

#define TO_STRING(number)  #number
#define MAJOR_COLON(major) TO_STRING(major) ":"
#define DAX_NUMBER_PREFIX  MAJOR_COLON(DAX_MAJOR)

/* The next block of which `test` holds. */
typedef bool (*block_test_fn)(const struct block *block, uint64_t parent);

static bool next_block_where(const struct simulation *simulation, uint64_t parent, uint64_t from, block_test_fn test,
                             uint64_t *ret) {
        const struct blocks *blocks = &simulation->machine.blocks;

        for (size_t i = blocks_lower_bound(blocks, from); i < blocks->n_runs; i++) {
                const struct run *run = &blocks->runs[i];

                if (!test(&run->block, parent))
                        continue;
                *ret = from > run->first ? from : run->first;
                return true;
        }
        return false;
}

static bool is_any_block(const struct block *block, uint64_t parent) {
        (void)block;
        (void)parent;
        return true;
}

static bool is_of_node(const struct block *block, uint64_t parent) {
        return block->node == (int)parent || block->other_node == (int)parent;
}

static bool next_block(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        return next_block_where(simulation, parent, from, is_any_block, ret);
}

static bool next_block_of_node(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        return next_block_where(simulation, parent, from, is_of_node, ret);
}

static bool next_node(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        const struct machine *machine = &simulation->machine;

        (void)parent;
        for (size_t i = 0; i < machine->n_nodes; i++) {
                if ((uint64_t)machine->nodes[i].number < from)
                        continue;
                *ret = (uint64_t)machine->nodes[i].number;
                return true;
        }
        return false;
}

static bool next_node_of_block(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        const struct block *block = blocks_find(&simulation->machine.blocks, parent);
        uint64_t id = from;

        /* Not every node of the machine: only those that one of the two fields names. */
        while (block && next_node(simulation, parent, id, &id)) {
                if (is_of_node(block, id)) {
                        *ret = id;
                        return true;
                }
                id++;
        }
        return false;
}

static bool next_range(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        const struct machine *machine = &simulation->machine;

        (void)parent;
        for (size_t i = 0; machine->has_guard && i < machine->n_ranges; i++) {
                if (machine->ranges[i].number < from)
                        continue;
                *ret = machine->ranges[i].number;
                return true;
        }
        return false;
}

static bool next_index(size_t n, uint64_t from, uint64_t *ret) {
        *ret = from;
        return from < n;
}

static bool next_dimm(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        (void)parent;
        return next_index(simulation->machine.n_dimms, from, ret);
}

static bool next_block_of_dimm(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        const struct machine *machine = &simulation->machine;
        const struct dimm *dimm = &machine->dimms[parent];

        return dimm->enabled && next_index(dimm->size / machine->block_size, from, ret);
}

static bool next_dax(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        (void)parent;
        return next_index(simulation->machine.n_daxes, from, ret);
}

/* One device a region: of the same number. */
static bool next_dax_of_region(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        (void)simulation;
        *ret = parent;
        return from <= parent;
}

static bool next_dax_of_driver(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret) {
        const struct machine *machine = &simulation->machine;

        for (uint64_t i = from; i < machine->n_daxes; i++) {
                if ((uint64_t)machine->daxes[i].driver != parent)
                        continue;
                *ret = i;
                return true;
        }
        return false;
}

static uint64_t pair_with_block(uint64_t parent, uint64_t id) {
        return object_pair(parent, id);
}

static uint64_t pair_with_node(uint64_t parent, uint64_t id) {
        return object_pair(id, parent);
}

static const char *dimm_name(const struct simulation *simulation, uint64_t id) {
        return simulation->machine.dimms[id].name;
}

static const char *dax_name(const struct simulation *simulation, uint64_t id) {
        return simulation->machine.daxes[id].name;
}

const struct family family_blocks = { .next = next_block, .prefix = "memory" };
const struct family family_nodes = { .next = next_node, .prefix = "node" };
const struct family family_block_nodes = { .next = next_node_of_block, .object = pair_with_node, .prefix = "node" };
const struct family family_node_blocks = { .next = next_block_of_node, .object = pair_with_block, .prefix = "memory" };
const struct family family_ranges = { .next = next_range, .prefix = "range" };
const struct family family_dimms = { .next = next_dimm, .name = dimm_name };
const struct family family_dimm_blocks = { .next = next_block_of_dimm,
                                           .object = pair_with_block,
                                           .prefix = "physical_node" };
const struct family family_dax_regions = { .next = next_dax, .prefix = "hmem." };
const struct family family_dax_numbers = { .next = next_dax, .prefix = DAX_NUMBER_PREFIX };
const struct family family_daxes = { .next = next_dax, .name = dax_name };
const struct family family_region_daxes = { .next = next_dax_of_region, .name = dax_name };
const struct family family_driver_daxes = { .next = next_dax_of_driver, .object = pair_with_block, .name = dax_name };

void family_format(const struct family *family, const struct simulation *simulation, uint64_t id, char *buffer,
                   size_t size) {
        if (family->name)
                (void)snprintf(buffer, size, "%s", family->name(simulation, id));
        else if (family == &family_dimm_blocks && id == 0) /* the first physical node has no number */
                (void)snprintf(buffer, size, "%s", family->prefix);
        else
                (void)snprintf(buffer, size, "%s%" PRIu64, family->prefix, id);
}

/* Only a number as we would print it: "memory040" is no block. */
static bool parse_id(const struct family *family, const struct simulation *simulation, const char *name,
                     uint64_t *ret) {
        size_t n = strlen(family->prefix);
        char again[64], *end;
        uint64_t id;

        if (strncmp(name, family->prefix, n) != 0)
                return false;
        id = strtoull(name + n, &end, 10);
        if (*end)
                return false;
        family_format(family, simulation, id, again, sizeof(again));
        *ret = id;
        return strcmp(again, name) == 0;
}

bool family_find(const struct family *family, const struct simulation *simulation, uint64_t parent, const char *name,
                 uint64_t *ret_id) {
        uint64_t id = 0, found;

        if (!family->name) {
                if (!parse_id(family, simulation, name, &id))
                        return false;
                *ret_id = id;
                return family->next(simulation, parent, id, &found) && found == id;
        }
        for (; family->next(simulation, parent, id, &id); id++) {
                if (strcmp(family->name(simulation, id), name) != 0)
                        continue;
                *ret_id = id;
                return true;
        }
        return false;
}
