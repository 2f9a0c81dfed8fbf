/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A memory range: what one hot-add added, as the kernel exports it (rangeN) or as it is estimated (estN). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "granularity.h"

enum range_driver {
        DRIVER_ACPI,
        DRIVER_DAX,
        DRIVER_VIRTIO_MEM,
        DRIVER_PSERIES,
        DRIVER_S390,
        DRIVER_OTHER,
        _RANGE_DRIVER_MAX,
};

struct range {
        uint64_t number; /* N of rangeN or estN */
        bool exported;   /* rangeN of the kernel, else estN */
        struct span span;
        int node;
        char *name;   /* "System RAM", "System RAM (kmem)", … never NULL */
        char *device; /* "PNP0C80:00", "dax0.0", or NULL */
        enum range_driver driver;
        enum block_kind kind;               /* KIND_HOT_ADDED or KIND_UNKNOWN */
        uint64_t mapping_granularity_bytes; /* GRANULARITY_UNKNOWN if it cannot be told */
        uint64_t removal_granularity_bytes; /* as above */
        enum granularity_source source;
};

/* Writes "rangeN" or "estN". */
#define RANGE_NAME_MAX 32
const char *range_name(const struct range *range, char buffer[static RANGE_NAME_MAX]);
const char *range_driver_to_string(enum range_driver driver);

/* Ranges while they are collected. All-zero is the empty list. */
struct range_list {
        struct range *items;
        size_t n;
        size_t n_allocated;
};

void range_clear(struct range *range);
void range_list_clear(struct range_list *list);
/* Takes what the range owns, on success only. Returns 0, -ENOMEM. */
int range_list_append(struct range_list *list, struct range *range);
/* By first block; an exported range before an estimated one. */
void range_list_sort(struct range_list *list);
