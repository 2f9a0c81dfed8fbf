/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rows: runs of memory as listings show them, with what their blocks have in common. */

#include <stdint.h>

#include "inventory.h"
#include "selector.h"

/* Attributes whose change begins a new row. */
enum split {
        SPLIT_STATE = 1 << 0,
        SPLIT_ZONE = 1 << 1,
        SPLIT_NODE = 1 << 2,
        SPLIT_KIND = 1 << 3,
        SPLIT_RANGE = 1 << 4,
        SPLIT_ALL = (1 << 5) - 1,
};

struct row {
        struct span span;
        const char *state; /* of lib's words, or "partly" (a unit or range with some blocks online), "absent" */
        uint64_t n_online;
        enum block_zone zone;
        int node;
        enum block_kind kind;
        const struct range *range; /* NULL none */
        enum split mixed;          /* what differs inside */
};

typedef void (*row_fn)(const struct row *row, void *userdata);

/* Calls `each` for every run inside the selection, in address order; neighbours that `split` does not part are one. */
void rows_of_selection(const struct inventory *inventory, const struct selection *selection, enum split split,
                       row_fn each, void *userdata);
/* A part of a range as one row: a unit, or all of it. */
struct row row_of_span(const struct inventory *inventory, const struct range *range, struct span span);
