/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void machine_clear(struct machine *machine) {
        blocks_clear(&machine->blocks);
        for (size_t i = 0; i < machine->n_nodes; i++)
                free(machine->nodes[i].cpus);
        for (size_t i = 0; i < machine->n_ranges; i++)
                free(machine->ranges[i].name);
        for (size_t i = 0; i < machine->n_dimms; i++)
                free(machine->dimms[i].name);
        for (size_t i = 0; i < machine->n_daxes; i++)
                free(machine->daxes[i].name);
        free(machine->nodes);
        free(machine->boot);
        free(machine->ranges);
        free(machine->dimms);
        free(machine->daxes);
        free(machine->architecture);
        free(machine->log);
        uevents_free(machine->uevents);
        *machine = (struct machine){ .uevents = NULL };
}

void machine_log(struct machine *machine, const char *format, ...) {
        char line[512];
        va_list arguments;
        int n;
        char *log;

        va_start(arguments, format);
        n = vsnprintf(line, sizeof(line) - 1, format, arguments);
        va_end(arguments);
        if (n < 0)
                return;
        if ((size_t)n > sizeof(line) - 2)
                n = sizeof(line) - 2;
        line[n++] = '\n';
        log = realloc(machine->log, machine->log_size + (size_t)n);
        if (!log)
                err(EXIT_FAILURE, "log");
        memcpy(log + machine->log_size, line, (size_t)n);
        machine->log = log;
        machine->log_size += (size_t)n;
}

struct node *machine_find_node(const struct machine *machine, int number) {
        for (size_t i = 0; i < machine->n_nodes; i++)
                if (machine->nodes[i].number == number)
                        return &machine->nodes[i];
        return NULL;
}

struct node *machine_ensure_node(struct machine *machine, int number, bool *created) {
        struct node *node = machine_find_node(machine, number);
        struct node *nodes;
        size_t at = 0;

        *created = !node;
        if (node)
                return node;
        nodes = reallocarray(machine->nodes, machine->n_nodes + 1, sizeof(*nodes));
        if (!nodes)
                err(EXIT_FAILURE, "nodes");
        machine->nodes = nodes;
        while (at < machine->n_nodes && nodes[at].number < number)
                at++;
        memmove(&nodes[at + 1], &nodes[at], (machine->n_nodes - at) * sizeof(*nodes));
        machine->n_nodes++;
        nodes[at] = (struct node){ .number = number, .cpus = strdup("") };
        if (!nodes[at].cpus)
                err(EXIT_FAILURE, "nodes");
        return &nodes[at];
}

struct range *machine_find_range(const struct machine *machine, uint64_t number) {
        for (size_t i = 0; i < machine->n_ranges; i++)
                if (machine->ranges[i].number == number)
                        return &machine->ranges[i];
        return NULL;
}

struct range *machine_range_at(const struct machine *machine, uint64_t address) {
        for (size_t i = 0; i < machine->n_ranges; i++) {
                struct range *range = &machine->ranges[i];

                if (address >= range->start && address - range->start < range->size)
                        return range;
        }
        return NULL;
}

struct range *machine_append_range(struct machine *machine, const struct range *range) {
        struct range *ranges = reallocarray(machine->ranges, machine->n_ranges + 1, sizeof(*ranges));

        if (!ranges)
                err(EXIT_FAILURE, "ranges");
        machine->ranges = ranges;
        ranges[machine->n_ranges] = *range;
        ranges[machine->n_ranges].number = machine->next_range++;
        return &ranges[machine->n_ranges++];
}

void machine_delete_range(struct machine *machine, uint64_t number) {
        struct range *range = machine_find_range(machine, number);
        size_t i;

        if (!range)
                return;
        i = (size_t)(range - machine->ranges);
        free(range->name);
        memmove(range, range + 1, (machine->n_ranges - i - 1) * sizeof(*range));
        machine->n_ranges--;
}

const struct dimm *machine_dimm_of(const struct machine *machine, uint64_t block) {
        uint64_t address = block * machine->block_size;

        for (size_t i = 0; i < machine->n_dimms; i++) {
                const struct dimm *dimm = &machine->dimms[i];

                if (dimm->enabled && address >= dimm->start && address - dimm->start < dimm->size)
                        return dimm;
        }
        return NULL;
}

static bool is_in_zone(const struct block *block, int node, enum zone zone) {
        return block->state != BLOCK_OFFLINE && block->node == node && block->zone == zone;
}

bool machine_zone_span(const struct machine *machine, int node, enum zone zone, uint64_t *first, uint64_t *end) {
        bool found = false;

        for (size_t i = 0; i < machine->blocks.n_runs; i++) {
                const struct run *run = &machine->blocks.runs[i];

                if (!is_in_zone(&run->block, node, zone))
                        continue;
                if (!found)
                        *first = run->first;
                *end = run->first + run->n;
                found = true;
        }
        return found;
}

uint64_t machine_node_online_bytes(const struct machine *machine, int node) {
        uint64_t n = 0;

        for (size_t i = 0; i < machine->blocks.n_runs; i++) {
                const struct run *run = &machine->blocks.runs[i];

                if (run->block.node == node && run->block.state != BLOCK_OFFLINE)
                        n += run->n;
        }
        return n * machine->block_size;
}

bool machine_node_has_blocks(const struct machine *machine, int node) {
        for (size_t i = 0; i < machine->blocks.n_runs; i++)
                if (machine->blocks.runs[i].block.node == node || machine->blocks.runs[i].block.other_node == node)
                        return true;
        return false;
}

void range_leaf_at(const struct machine *machine, const struct range *range, uint64_t address, uint64_t *start,
                   uint64_t *size) {
        *size = machine->page_size;
        for (size_t i = 0; i < MAX_LEAF_SIZES && machine->leaf_sizes[i]; i++) {
                uint64_t leaf = machine->leaf_sizes[i];
                uint64_t leaf_start = address - address % leaf;

                if (leaf > range->leaf_limit || leaf > range->size || leaf_start < range->start ||
                    leaf_start - range->start > range->size - leaf)
                        continue;
                *size = leaf;
                break;
        }
        *start = address - address % *size;
}

uint64_t range_mapping_granularity(const struct machine *machine, const struct range *range) {
        if (range->granularity_unknown)
                return 0;
        for (size_t i = 0; i < MAX_LEAF_SIZES && machine->leaf_sizes[i]; i++) {
                uint64_t leaf = machine->leaf_sizes[i];
                uint64_t offset = (leaf - range->start % leaf) % leaf;

                if (leaf <= range->leaf_limit && offset <= range->size && range->size - offset >= leaf)
                        return leaf;
        }
        return machine->page_size;
}

uint64_t range_removal_granularity(const struct machine *machine, const struct range *range) {
        uint64_t mapping = range_mapping_granularity(machine, range);

        return mapping == 0 || mapping > machine->block_size ? mapping : machine->block_size;
}

static const char *const online_types[_MMOP_MAX] = {
        [MMOP_OFFLINE] = "offline",
        [MMOP_ONLINE] = "online",
        [MMOP_ONLINE_KERNEL] = "online_kernel",
        [MMOP_ONLINE_MOVABLE] = "online_movable",
};

const char *online_type_to_string(enum online_type type) {
        return online_types[type];
}

int online_type_from_string(const char *text) {
        for (int i = 0; i < _MMOP_MAX; i++)
                if (strcmp(text, online_types[i]) == 0)
                        return i;
        return -EINVAL;
}
