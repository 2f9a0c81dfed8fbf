/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines for tests of the pure part of the model, built in memory. Any failure ends the test. */

#include "inventory.h"
#include "plan.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* An arm64 machine with 4K pages, 128 MiB blocks and no memory. */
struct inventory *model_new(void);
/* Adds a range that is exported by the kernel, with its blocks offline; change it through the pointer. */
struct range *model_add_range(struct inventory *inventory, uint64_t number, uint64_t first, uint64_t n, int node,
                              enum range_driver driver, const char *device, uint64_t granularity);
/* Sets blocks' state, zone and node; outside ranges they are boot memory. */
void model_set_blocks(struct inventory *inventory, uint64_t first, uint64_t n, int node, enum block_state state,
                      enum block_zone zone);
void model_add_node_memory(struct inventory *inventory, int node, uint64_t total_bytes, uint64_t free_bytes);

/*
 * arm64, two nodes:
 *   memory0-15    node0  boot, online Normal
 *   memory40-55   node0  range0  ACPI PNP0C80:00, 1 GiB leaves, online Movable
 *   memory72-79   node1  range1  dax0.0 (kmem), 1 GiB leaves, online Movable
 *   memory88-92   node1  range2  another driver's, 1 GiB leaves at most, offline: no whole leaf fits into it
 *   memory104-105 node1  range3  virtio-mem, block by block, online Normal
 * and plenty of free memory on both nodes.
 */
struct inventory *model_server(void);

/* Parses selectors separated by spaces. */
void model_select(const char *words, uint64_t block_size_bytes, struct selector_list *ret);
/* "offline 40-47, online_movable 48": the steps of a plan; and spares likewise. The caller frees it. */
char *model_steps_to_string(const struct step *steps, size_t n);
/* "splits-mapping 44, hole 56-63": the refusals. */
char *model_refusals_to_string(const struct plan *plan);
