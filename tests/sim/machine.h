/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The simulated machine: what the kernel knows of its memory. Addresses and sizes are in bytes unless a name says
 * otherwise; "block" is the N of memoryN. State only; the kernel's operations on it are in hotplug.h and devices.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blocks.h"
#include "uevent.h"

#define MAX_LEAF_SIZES 8

enum online_type {
        MMOP_OFFLINE,
        MMOP_ONLINE,
        MMOP_ONLINE_KERNEL,
        MMOP_ONLINE_MOVABLE,
        _MMOP_MAX,
};

struct node {
        int number;
        char *cpus; /* a CPU list, "" for a node without */
        uint64_t used_bytes;
        uint64_t n_huge_pages; /* of 2 MiB, all of them free */
};

/* Boot memory as firmware lists it; needs no alignment. */
struct boot_memory {
        uint64_t start;
        uint64_t size;
};

/* What one add_memory() added, and how the kernel mapped it. */
struct range {
        uint64_t number; /* rangeN; never reused */
        uint64_t start;
        uint64_t size;
        int node;
        char *name;
        uint64_t leaf_limit;      /* no leaf is larger (memmap_on_memory maps block by block) */
        bool granularity_unknown; /* the kernel cannot tell: both files read "unknown" */
        bool is_remainder;
        uint64_t remainder_of; /* number of the range this is left of */
};

/* An ACPI memory device, PNP0C80:NN. */
struct dimm {
        char *name;
        uint64_t start;
        uint64_t size;
        int node;
        bool enabled; /* present and its memory added */
};

enum dax_driver {
        DAX_DRIVER_NONE,
        DAX_DRIVER_KMEM,
        DAX_DRIVER_DEVICE_DAX,
        _DAX_DRIVER_MAX,
};

/* A dax device, daxN.M, alone in its region. */
struct dax {
        char *name;
        unsigned region;
        uint64_t start;
        uint64_t size;
        int node;
        uint64_t align;
        enum dax_driver driver;
        bool has_id[_DAX_DRIVER_MAX]; /* written to that driver's new_id: it matches the device */
        bool stuck;                   /* an unbind could not remove the memory: reserved until reboot */
};

struct machine {
        char *architecture; /* as uname -m has it */
        uint64_t page_size;
        uint64_t block_size;
        uint64_t leaf_sizes[MAX_LEAF_SIZES]; /* of the linear map, largest first, 0 ends */
        bool has_guard;                      /* the patched kernel: memory_range bus and guard */
        bool memmap_on_memory;
        enum online_type auto_online;

        struct blocks blocks;
        struct node *nodes;
        size_t n_nodes;
        struct boot_memory *boot;
        size_t n_boot;
        struct range *ranges; /* sorted by number */
        size_t n_ranges;
        uint64_t next_range;
        struct dimm *dimms;
        size_t n_dimms;
        struct dax *daxes;
        size_t n_daxes;

        struct uevents *uevents; /* NULL: no events */
        char *log;               /* the kernel's log, a line a message */
        size_t log_size;
        bool died;
};

/* Frees what it holds, uevents included. */
void machine_clear(struct machine *machine);

/* Adds a line to the kernel's log. */
__attribute__((format(printf, 2, 3))) void machine_log(struct machine *machine, const char *format, ...);

struct node *machine_find_node(const struct machine *machine, int number);
/* Finds or makes it; *created tells which. The nodes are kept sorted. */
struct node *machine_ensure_node(struct machine *machine, int number, bool *created);
struct range *machine_find_range(const struct machine *machine, uint64_t number);
struct range *machine_range_at(const struct machine *machine, uint64_t address);
/* Takes ownership of `range->name`. */
struct range *machine_append_range(struct machine *machine, const struct range *range);
void machine_delete_range(struct machine *machine, uint64_t number);
/* The enabled DIMM that holds the block, or NULL. */
const struct dimm *machine_dimm_of(const struct machine *machine, uint64_t block);

/* The span of a node's zone: the hull of its online blocks. False if it has none. */
bool machine_zone_span(const struct machine *machine, int node, enum zone zone, uint64_t *first, uint64_t *end);
/* Bytes of a node's online blocks. */
uint64_t machine_node_online_bytes(const struct machine *machine, int node);
/* True if any block, in whatever state, belongs to the node. */
bool machine_node_has_blocks(const struct machine *machine, int node);

/* The leaf that maps `address`, which must lie in the range: as large as alignment and size allow. */
void range_leaf_at(const struct machine *machine, const struct range *range, uint64_t address, uint64_t *start,
                   uint64_t *size);
/* mapping_granularity and removal_granularity; 0 is unknown. */
uint64_t range_mapping_granularity(const struct machine *machine, const struct range *range);
uint64_t range_removal_granularity(const struct machine *machine, const struct range *range);

const char *online_type_to_string(enum online_type type);
/* -EINVAL for what the kernel does not take either. */
int online_type_from_string(const char *text);
