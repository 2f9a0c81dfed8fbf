/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Families of directory entries named by number: memoryN, nodeN, rangeN, … `parent` is the object of the directory
 * they stand in, `id` the entry's number there, the object what its files belong to (attributes.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "simulation.h"

struct family {
        /* The smallest id at or above `from`; false if none. */
        bool (*next)(const struct simulation *simulation, uint64_t parent, uint64_t from, uint64_t *ret_id);
        uint64_t (*object)(uint64_t parent, uint64_t id); /* NULL: the id */
        /* The name of the entry where it is no prefix with a number; NULL otherwise. */
        const char *(*name)(const struct simulation *simulation, uint64_t id);
        const char *prefix;
};

extern const struct family family_blocks;
extern const struct family family_nodes;
extern const struct family family_block_nodes; /* of a block */
extern const struct family family_node_blocks; /* of a node */
extern const struct family family_ranges;
extern const struct family family_dimms;
extern const struct family family_dimm_blocks; /* physical_node, physical_node1, … of a DIMM */
extern const struct family family_dax_regions;
extern const struct family family_daxes;
extern const struct family family_dax_numbers;  /* MAJOR:MINOR */
extern const struct family family_region_daxes; /* of a region */
extern const struct family family_driver_daxes; /* of a driver */

void family_format(const struct family *family, const struct simulation *simulation, uint64_t id, char *buffer,
                   size_t size);
/* The id of the entry of that name, if it is there. */
bool family_find(const struct family *family, const struct simulation *simulation, uint64_t parent, const char *name,
                 uint64_t *ret_id);
