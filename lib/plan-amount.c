/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "decision.h"
#include "subset.h"

/* A whole unit that an amount may take. */
struct candidate {
        uint64_t block;    /* one in it */
        uint64_t n_blocks; /* that change */
        bool is_half;      /* some of its blocks are in the wanted state already */
        bool is_movable;   /* all its online blocks are in zone Movable */
        unsigned hint;
};

struct candidates {
        struct candidate *items;
        size_t n, n_allocated;
};

static int add_candidate(struct planner *planner, struct unit *unit, void *userdata) {
        const struct request *request = planner->request;
        struct candidates *candidates = userdata;
        enum online_zone zone;

        if (unit->change.n == 0 || !unit_ends_whole(unit))
                return 0;
        if (request->verb == VERB_OFFLINE ? planner_keeps_boot_memory(planner, unit)
                                          : !planner_choose_zone(planner, unit, &zone))
                return 0;

        struct candidate *items =
                array_grow(candidates->items, &candidates->n_allocated, candidates->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        candidates->items = items;
        items[candidates->n++] = (struct candidate){
                .block = unit->change.items[0].first_block,
                .n_blocks = span_list_count_blocks(&unit->change),
                .is_half = unit->n_in_target > 0,
                .is_movable = unit->has_movable_zone && !unit->has_kernel_zone,
                .hint = request->hint ? request->hint(unit->span, request->hint_userdata) : 0,
        };
        return 0;
}

/* Half-offline units, then zone Movable, then what goes easiest, then the highest address. */
static int compare_for_offline(const void *a, const void *b) {
        const struct candidate *x = a, *y = b;

        if (x->is_half != y->is_half)
                return x->is_half ? -1 : 1;
        if (x->is_movable != y->is_movable)
                return x->is_movable ? -1 : 1;
        if (x->hint != y->hint)
                return x->hint < y->hint ? -1 : 1;
        return (x->block < y->block) - (x->block > y->block);
}

/* Half-online units, then what goes easiest, then the lowest address. */
static int compare_for_online(const void *a, const void *b) {
        const struct candidate *x = a, *y = b;

        if (x->is_half != y->is_half)
                return x->is_half ? -1 : 1;
        if (x->hint != y->hint)
                return x->hint < y->hint ? -1 : 1;
        return (x->block > y->block) - (x->block < y->block);
}

static enum block_state target_of(const struct planner *planner) {
        return planner->request->verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
}

/* Candidates in order of preference, and their sizes beside them. The caller frees both, also after a failure. */
static int find_candidates(struct planner *planner, struct candidates *candidates, uint64_t **ret_sizes) {
        int r = planner_walk(planner, target_of(planner), add_candidate, candidates);
        if (r < 0)
                return r;
        if (candidates->n > 1)
                qsort(candidates->items, candidates->n, sizeof(*candidates->items),
                      planner->request->verb == VERB_ONLINE ? compare_for_online : compare_for_offline);

        uint64_t *sizes = reallocarray(NULL, MAX(candidates->n, (size_t)1), sizeof(*sizes));
        if (!sizes)
                return -ENOMEM;
        for (size_t i = 0; i < candidates->n; i++)
                sizes[i] = candidates->items[i].n_blocks;
        *ret_sizes = sizes;
        return 0;
}

uint64_t planner_count_in_target(const struct planner *planner) {
        const struct extent_list *extents = &planner->inventory->extents;
        const struct span_list *selected = &planner->selection.present;
        uint64_t n_blocks = 0;

        for (size_t i = 0; i < selected->n; i++)
                for (size_t e = extent_list_lower_bound(extents, selected->items[i].first_block);
                     e < extents->n && extents->items[e].first_block < span_end(&selected->items[i]); e++)
                        if (extents->items[e].state == target_of(planner))
                                n_blocks +=
                                        span_intersect(extent_span(&extents->items[e]), selected->items[i]).n_blocks;
        return n_blocks;
}

static int compare_sizes(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* The sizes that were chosen, in ascending order, each as often as it was; the caller frees them. NULL: no memory. */
static uint64_t *sort_chosen_sizes(const uint64_t *sizes, const bool *chosen, size_t n, size_t *ret_n) {
        uint64_t *sorted = reallocarray(NULL, MAX(n, (size_t)1), sizeof(*sorted));
        size_t n_sorted = 0;

        if (!sorted)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (chosen[i])
                        sorted[n_sorted++] = sizes[i];
        if (n_sorted > 1)
                qsort(sorted, n_sorted, sizeof(*sorted), compare_sizes);
        *ret_n = n_sorted;
        return sorted;
}

/*
 * The chosen become steps; the others, where they are as large as one that was chosen, spares. Whether an amount can be
 * had, which is all that counts while a way out is being tried, does not depend on spares.
 */
static int add_chosen(struct planner *planner, const struct candidates *candidates, const uint64_t *sizes,
                      const bool *chosen) {
        _cleanup_(unit_clear) struct unit unit = { 0 };
        enum online_zone zone = ONLINE_ZONE_DEFAULT;
        size_t n_chosen;

        _cleanup_free_ uint64_t *chosen_sizes = sort_chosen_sizes(sizes, chosen, candidates->n, &n_chosen);
        if (!chosen_sizes)
                return -ENOMEM;
        for (size_t i = 0; i < candidates->n; i++) {
                if (!chosen[i] && planner->is_trial)
                        continue;
                if (!chosen[i] && !bsearch(&sizes[i], chosen_sizes, n_chosen, sizeof(*chosen_sizes), compare_sizes))
                        continue;

                int r = unit_load(&unit, planner, candidates->items[i].block, target_of(planner));
                if (r == 0 && planner->request->verb == VERB_ONLINE)
                        planner_choose_zone(planner, &unit, &zone);
                if (r == 0)
                        r = chosen[i] ? planner_add_steps(planner, &unit, zone)
                                      : planner_add_spares(planner, &unit, zone);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int choose(struct planner *planner, const struct candidates *candidates, const uint64_t *sizes, uint64_t n_bytes,
                  uint64_t n_in_target) {
        uint64_t block_size_bytes = planner->inventory->block_size_bytes, n_blocks = n_bytes / block_size_bytes;
        struct subset_nearest nearest = { SUBSET_NONE, SUBSET_NONE };

        bool *chosen = calloc(MAX(candidates->n, (size_t)1), sizeof(*chosen));
        if (!chosen)
                return -ENOMEM;
        int found = subset_choose(sizes, candidates->n, n_blocks, chosen, &nearest);
        int r = found;
        if (found == 1 && n_bytes % block_size_bytes == 0)
                r = add_chosen(planner, candidates, sizes, chosen);
        else if (found >= 0) {
                /* Part of a block: the whole blocks in it may be the nearest smaller amount. */
                if (found == 1) {
                        uint64_t smaller = n_blocks;
                        r = subset_choose(sizes, candidates->n, n_blocks + 1, chosen, &nearest);
                        nearest.smaller = smaller;
                        if (r == 1)
                                nearest.larger = n_blocks + 1;
                }
                if (r >= 0) {
                        const struct finding finding = {
                                FINDING_AMOUNT,
                                .n_available = n_in_target,
                                .n_smaller = nearest.smaller,
                                .n_larger = nearest.larger,
                        };
                        r = planner_refuse(planner, &finding);
                }
        }
        free(chosen);
        return r;
}

int plan_amount(struct planner *planner) {
        _cleanup_free_ uint64_t *sizes = NULL;
        struct candidates candidates = { 0 };
        uint64_t block_size_bytes = planner->inventory->block_size_bytes, n_bytes = planner->amount->amount_bytes;
        uint64_t n_in_target = planner->amount->is_target ? planner_count_in_target(planner) : 0;

        if (n_in_target * block_size_bytes >= n_bytes)
                return 0;

        int r = find_candidates(planner, &candidates, &sizes);
        if (r == 0)
                r = choose(planner, &candidates, sizes, n_bytes - n_in_target * block_size_bytes, n_in_target);
        free(candidates.items);
        return r;
}

int plan_amount_at_most(struct planner *planner, uint64_t n_blocks, uint64_t *ret) {
        _cleanup_free_ uint64_t *sizes = NULL;
        struct candidates candidates = { 0 };
        struct subset_nearest nearest = { 0, 0 };

        int r = find_candidates(planner, &candidates, &sizes);
        bool *chosen = calloc(MAX(candidates.n, (size_t)1), sizeof(*chosen));
        if (r == 0 && !chosen)
                r = -ENOMEM;
        if (r == 0) {
                r = subset_choose(sizes, candidates.n, n_blocks, chosen, &nearest);
                if (r == 1)
                        nearest.smaller = n_blocks;
        }
        free(chosen);
        free(candidates.items);
        if (r < 0)
                return r;
        *ret = nearest.smaller == SUBSET_NONE ? 0 : nearest.smaller;
        return 0;
}
