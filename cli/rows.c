/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#include <stdbool.h>
#include <string.h>

static struct row row_of_extent(const struct inventory *inventory, const struct extent *extent, struct span span) {
        return (struct row){
                .span = span,
                .state = block_state_to_string(extent->state),
                .n_online = extent->state == BLOCK_OFFLINE ? 0 : span.n_blocks,
                .zone = extent->zone,
                .node = extent->node,
                .kind = extent->kind,
                .range = extent->range == RANGE_NONE ? NULL : inventory->ranges + extent->range,
        };
}

static enum split difference(const struct row *a, const struct row *b) {
        return (strcmp(a->state, b->state) != 0 ? SPLIT_STATE : 0) | (a->zone != b->zone ? SPLIT_ZONE : 0) |
               (a->node != b->node ? SPLIT_NODE : 0) | (a->kind != b->kind ? SPLIT_KIND : 0) |
               (a->range != b->range ? SPLIT_RANGE : 0);
}

void rows_of_selection(const struct inventory *inventory, const struct selection *selection, enum split split,
                       row_fn each, void *userdata) {
        const struct extent_list *extents = &inventory->extents;
        struct row row = { 0 };

        for (size_t i = 0; i < selection->present.n; i++) {
                const struct span *selected = selection->present.items + i;

                for (size_t j = extent_list_lower_bound(extents, selected->first_block); j < extents->n; j++) {
                        struct span span = span_intersect(extent_span(extents->items + j), *selected);
                        struct row next;

                        if (span.n_blocks == 0)
                                break;

                        next = row_of_extent(inventory, extents->items + j, span);
                        if (row.span.n_blocks > 0 && span_end(&row.span) == span.first_block &&
                            !((difference(&row, &next) | row.mixed) & split)) {
                                row.mixed |= difference(&row, &next);
                                row.span.n_blocks += span.n_blocks;
                                row.n_online += next.n_online;
                                continue;
                        }
                        if (row.span.n_blocks > 0)
                                each(&row, userdata);
                        row = next;
                }
        }

        if (row.span.n_blocks > 0)
                each(&row, userdata);
}

struct row row_of_span(const struct inventory *inventory, const struct range *range, struct span span) {
        const struct extent_list *extents = &inventory->extents;
        struct row row = { .span = span, .state = "absent", .node = range->node, .kind = range->kind, .range = range };
        bool is_first = true;

        for (size_t i = extent_list_lower_bound(extents, span.first_block); i < extents->n; i++) {
                struct span part = span_intersect(extent_span(extents->items + i), span);
                struct row next;

                if (part.n_blocks == 0)
                        break;

                next = row_of_extent(inventory, extents->items + i, part);
                if (is_first)
                        row.state = next.state;
                else if (strcmp(row.state, next.state) != 0)
                        row.state = "partly";
                /* An offline block is in no zone: the zone of a unit is that of its online blocks. */
                if (row.zone == ZONE_NONE)
                        row.zone = next.zone;
                else if (next.zone != ZONE_NONE && row.zone != next.zone)
                        row.mixed |= SPLIT_ZONE;
                row.n_online += next.n_online;
                is_first = false;
        }

        return row;
}
