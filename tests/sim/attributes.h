/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The contents of sysfs files and links (show) and what a write to them does (store), as Documentation/ABI/ has them.
 * `object` is the number of the device a file belongs to: the N of memoryN, nodeN, rangeN, the index of a DIMM or dax
 * device, a dax driver; a link between a block and a node or DIMM has both (see object_pair()).
 *
 * A show returns 0 or -errno; a link's text is its target. A store gets the text without its last newline and
 * returns 0, -errno, or STORE_LOOPS if it would go on for ever until a signal.
 */

#include <stdint.h>
#include <stdio.h>

#include "simulation.h"

#define STORE_LOOPS 2

typedef int (*show_fn)(const struct simulation *simulation, uint64_t object, FILE *out);
typedef int (*store_fn)(struct simulation *simulation, uint64_t object, const char *text);

static inline uint64_t object_pair(uint64_t device, uint64_t block) {
        return device << 32 | block;
}

static inline uint64_t object_device(uint64_t pair) {
        return pair >> 32;
}

static inline uint64_t object_block(uint64_t pair) {
        return pair & UINT32_MAX;
}

/* /proc and the simulation's own files */
int show_iomem(const struct simulation *simulation, uint64_t object, FILE *out);
int show_cpuinfo(const struct simulation *simulation, uint64_t object, FILE *out);
int show_architecture(const struct simulation *simulation, uint64_t object, FILE *out);
int show_log(const struct simulation *simulation, uint64_t object, FILE *out);
int show_status(const struct simulation *simulation, uint64_t object, FILE *out);

/* devices/system/memory */
int show_block_size(const struct simulation *simulation, uint64_t object, FILE *out);
int show_auto_online(const struct simulation *simulation, uint64_t object, FILE *out);
int store_auto_online(struct simulation *simulation, uint64_t object, const char *text);
int show_state(const struct simulation *simulation, uint64_t object, FILE *out);
int store_state(struct simulation *simulation, uint64_t object, const char *text);
int show_online(const struct simulation *simulation, uint64_t object, FILE *out);
int store_online(struct simulation *simulation, uint64_t object, const char *text);
int show_valid_zones(const struct simulation *simulation, uint64_t object, FILE *out);
int show_phys_index(const struct simulation *simulation, uint64_t object, FILE *out);
int show_zero(const struct simulation *simulation, uint64_t object, FILE *out);
int show_one(const struct simulation *simulation, uint64_t object, FILE *out);
int show_nothing(const struct simulation *simulation, uint64_t object, FILE *out);
int store_block_uevent(struct simulation *simulation, uint64_t object, const char *text);
int link_firmware_node(const struct simulation *simulation, uint64_t object, FILE *out);
int link_block_node(const struct simulation *simulation, uint64_t object, FILE *out);
int link_bus_block(const struct simulation *simulation, uint64_t object, FILE *out);

/* devices/system/node */
int show_nodes_possible(const struct simulation *simulation, uint64_t object, FILE *out);
int show_nodes_online(const struct simulation *simulation, uint64_t object, FILE *out);
int show_nodes_with_memory(const struct simulation *simulation, uint64_t object, FILE *out);
int show_nodes_with_normal_memory(const struct simulation *simulation, uint64_t object, FILE *out);
int show_nodes_with_cpus(const struct simulation *simulation, uint64_t object, FILE *out);
int show_meminfo(const struct simulation *simulation, uint64_t object, FILE *out);
int show_cpulist(const struct simulation *simulation, uint64_t object, FILE *out);
int show_distance(const struct simulation *simulation, uint64_t object, FILE *out);
int show_huge_pages(const struct simulation *simulation, uint64_t object, FILE *out);
int store_huge_pages(struct simulation *simulation, uint64_t object, const char *text);
int store_node_uevent(struct simulation *simulation, uint64_t object, const char *text);
int link_node_block(const struct simulation *simulation, uint64_t object, FILE *out);
int link_bus_node(const struct simulation *simulation, uint64_t object, FILE *out);

/* bus/memory_range */
int show_range_start(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_size(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_node(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_name(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_mapping(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_removal(const struct simulation *simulation, uint64_t object, FILE *out);
int show_range_uevent(const struct simulation *simulation, uint64_t object, FILE *out);
int store_range_uevent(struct simulation *simulation, uint64_t object, const char *text);
int link_bus_range(const struct simulation *simulation, uint64_t object, FILE *out);

/* bus/acpi */
int store_eject(struct simulation *simulation, uint64_t object, const char *text);
int show_dimm_hid(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dimm_path(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dimm_status(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dimm_uid(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dimm_modalias(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dimm_uevent(const struct simulation *simulation, uint64_t object, FILE *out);
int store_dimm_uevent(struct simulation *simulation, uint64_t object, const char *text);
int link_bus_dimm(const struct simulation *simulation, uint64_t object, FILE *out);
int link_dimm_block(const struct simulation *simulation, uint64_t object, FILE *out);

/* bus/dax */
int show_dax_size(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_align(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_resource(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_end(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_node(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_modalias(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_dev(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_memmap(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_region(const struct simulation *simulation, uint64_t object, FILE *out);
int show_dax_uevent(const struct simulation *simulation, uint64_t object, FILE *out);
int store_dax_uevent(struct simulation *simulation, uint64_t object, const char *text);
int store_dax_bind(struct simulation *simulation, uint64_t object, const char *text);
int store_dax_unbind(struct simulation *simulation, uint64_t object, const char *text);
int store_dax_new_id(struct simulation *simulation, uint64_t object, const char *text);
int store_dax_remove_id(struct simulation *simulation, uint64_t object, const char *text);
int link_dax_driver(const struct simulation *simulation, uint64_t object, FILE *out);
int link_bus_dax(const struct simulation *simulation, uint64_t object, FILE *out);
int link_dax_number(const struct simulation *simulation, uint64_t object, FILE *out);
int link_driver_dax(const struct simulation *simulation, uint64_t object, FILE *out);

/* kernel/dlpar and the device tree of pseries, firmware/memory of s390; an attribute's condition is asked, too */
bool is_pseries(const struct simulation *simulation, uint64_t object);
bool is_s390(const struct simulation *simulation, uint64_t object);
int show_dlpar(const struct simulation *simulation, uint64_t object, FILE *out);
int store_dlpar(struct simulation *simulation, uint64_t object, const char *text);
int show_lmb_size(const struct simulation *simulation, uint64_t object, FILE *out);
int show_lmbs(const struct simulation *simulation, uint64_t object, FILE *out);
int show_block_config(const struct simulation *simulation, uint64_t object, FILE *out);
int store_block_config(struct simulation *simulation, uint64_t object, const char *text);

/* module */
int show_initstate(const struct simulation *simulation, uint64_t object, FILE *out);
int show_memmap_on_memory(const struct simulation *simulation, uint64_t object, FILE *out);
int show_online_policy(const struct simulation *simulation, uint64_t object, FILE *out);
