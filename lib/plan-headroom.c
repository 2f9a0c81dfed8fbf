/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "decision.h"

/* What a plan takes from one node. */
struct node_share {
        int node;
        uint64_t n_online; /* blocks before */
        uint64_t n_taken;
};

struct node_shares {
        struct node_share *items;
        size_t n;
};

static struct node_share *share_of(struct node_shares *shares, int node) {
        for (size_t i = 0; i < shares->n; i++)
                if (shares->items[i].node == node)
                        return &shares->items[i];

        struct node_share *items = reallocarray(shares->items, shares->n + 1, sizeof(*items));
        if (!items)
                return NULL;
        shares->items = items;
        items[shares->n] = (struct node_share){ .node = node };
        return &items[shares->n++];
}

static int node_of(const struct planner *planner, uint64_t block) {
        const struct extent *extent = extent_list_find(&planner->inventory->extents, block);

        return extent ? extent->node : NODE_NONE;
}

static int count_shares(const struct planner *planner, struct node_shares *shares) {
        const struct inventory *inventory = planner->inventory;

        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = &inventory->extents.items[i];
                struct node_share *share = share_of(shares, extent->node);
                if (!share)
                        return -ENOMEM;
                if (extent->state != BLOCK_OFFLINE)
                        share->n_online += extent->n_blocks;
        }

        /* Steps come in runs of one node: their extents are looked up once a step, which lies within one. */
        for (size_t i = 0; i < planner->plan->n_steps; i++) {
                const struct step *step = &planner->plan->steps[i];
                struct node_share *share = share_of(shares, node_of(planner, step->span.first_block));
                if (!share)
                        return -ENOMEM;
                share->n_taken += step->span.n_blocks;
        }
        return 0;
}

static bool leaves_node_empty(const struct node_share *share) {
        return share->node != NODE_NONE && share->n_taken > 0 && share->n_taken >= share->n_online;
}

static void drop_removals(struct planner *planner, int node) {
        struct plan *plan = planner->plan;
        size_t n = 0;

        for (size_t i = 0; i < plan->n_removals; i++)
                if (node_of(planner, plan->removals[i].span.first_block) == node)
                        free(plan->removals[i].device);
                else
                        plan->removals[n++] = plan->removals[i];
        plan->n_removals = n;
}

/* Takes the steps on a node back, one finding for each run of them. */
static int refuse_node(struct planner *planner, int node) {
        struct plan *plan = planner->plan;
        size_t n = 0;
        int r = 0;

        drop_removals(planner, node);
        for (size_t i = 0; r == 0 && i < plan->n_steps; i++) {
                if (node_of(planner, plan->steps[i].span.first_block) != node) {
                        plan->steps[n++] = plan->steps[i];
                        continue;
                }
                const struct finding finding = { FINDING_EMPTY_NODE, .span = plan->steps[i].span, .node = node };
                r = planner_refuse(planner, &finding);
        }
        plan->n_steps = n;
        return r;
}

static const struct node_memory *memory_of(const struct planner *planner, int node) {
        for (size_t i = 0; i < planner->inventory->n_nodes; i++)
                if (planner->inventory->nodes[i].node == node)
                        return &planner->inventory->nodes[i];
        return NULL;
}

static int note_huge_pages(struct planner *planner, const struct node_share *share) {
        const struct node_memory *memory = memory_of(planner, share->node);

        if (share->n_taken == 0 || !memory || memory->free_huge_pages == 0)
                return 0;
        char *text =
                share->node == NODE_NONE
                        ? format_string("up to %" PRIu64 " free huge pages in these blocks are dissolved",
                                        memory->free_huge_pages)
                        : format_string("up to %" PRIu64 " free huge pages of node%d in these blocks are dissolved",
                                        memory->free_huge_pages, share->node);
        return planner_add_side_effect(planner, SIDE_EFFECT_HUGE_PAGES, memory->free_huge_pages, text);
}

static int check_node(struct planner *planner, const struct node_share *share) {
        if (leaves_node_empty(share)) {
                if (!planner->request->empty_node)
                        return refuse_node(planner, share->node);
                int r = planner_add_side_effect(planner, SIDE_EFFECT_EMPTY_NODE, (uint64_t)share->node,
                                                format_string("node%d has no memory left", share->node));
                if (r < 0)
                        return r;
        }
        return note_huge_pages(planner, share);
}

int plan_check_empty_nodes(struct planner *planner) {
        struct node_shares shares = { 0 };

        int r = count_shares(planner, &shares);
        for (size_t i = 0; r == 0 && i < shares.n; i++)
                r = check_node(planner, &shares.items[i]);
        free(shares.items);
        return r;
}

/* What is to stay available of `stays_bytes`. */
static uint64_t bytes_to_keep(const struct planner *planner, uint64_t stays_bytes) {
        __extension__ unsigned __int128 share = (unsigned __int128)stays_bytes * planner->keep_percent / 100;

        return MAX(planner->keep_bytes, (uint64_t)share);
}

/*
 * Page cache and slab can be given back, but some of it is in use and comes back at once: half of it counts, as in the
 * kernel's own estimate of MemAvailable (mm/show_mem.c).
 */
static uint64_t available_bytes(const struct node_memory *memory) {
        return memory->free_bytes + memory->reclaimable_bytes / 2;
}

static bool leaves_enough(const struct planner *planner, uint64_t total_bytes, uint64_t free_bytes,
                          uint64_t taken_bytes) {
        if (taken_bytes > free_bytes)
                return false;

        uint64_t stays_bytes = total_bytes > taken_bytes ? total_bytes - taken_bytes : 0;
        return free_bytes - taken_bytes >= bytes_to_keep(planner, stays_bytes);
}

/*
 * Used pages in the blocks must fit into what is free elsewhere: used(blocks) <= free - free(blocks) - keep, and
 * used(blocks) + free(blocks) is what is taken, so how they are spread over the blocks does not matter. All nodes
 * count: the kernel moves pages to another node where their own is full (mm/memory_hotplug.c, do_migrate_range()).
 */
uint64_t plan_safe_blocks(const struct planner *planner, uint64_t n_taken, uint64_t *ret_keep_bytes) {
        const struct inventory *inventory = planner->inventory;
        uint64_t block_size_bytes = inventory->block_size_bytes, total_bytes = 0, free_bytes = 0;

        for (size_t i = 0; i < inventory->n_nodes; i++) {
                total_bytes += inventory->nodes[i].total_bytes;
                free_bytes += available_bytes(&inventory->nodes[i]);
        }

        /* Taking less always leaves more, so the largest safe amount is found by halving. No numbers, no objection. */
        uint64_t safe = 0, unsafe = n_taken + 1;
        while (total_bytes > 0 && unsafe - safe > 1) {
                uint64_t middle = safe + (unsafe - safe) / 2;
                if (leaves_enough(planner, total_bytes, free_bytes, middle * block_size_bytes))
                        safe = middle;
                else
                        unsafe = middle;
        }
        if (total_bytes == 0)
                safe = n_taken;
        *ret_keep_bytes = bytes_to_keep(planner, total_bytes - MIN(total_bytes, safe * block_size_bytes));
        return safe;
}

int plan_check_headroom(struct planner *planner) {
        struct finding finding = { FINDING_HEADROOM };

        for (size_t i = 0; i < planner->plan->n_steps; i++)
                finding.n_taken += planner->plan->steps[i].span.n_blocks;
        if (planner->request->ignore_headroom || finding.n_taken == 0)
                return 0;
        finding.n_safe = plan_safe_blocks(planner, finding.n_taken, &finding.keep_bytes);
        if (finding.n_safe == finding.n_taken)
                return 0;

        planner_drop_steps(planner);
        return planner_refuse(planner, &finding);
}
