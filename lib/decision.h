/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/*
 * What is to be done, or why not: a request becomes a plan's steps, spares, removals and side effects, and findings
 * where it is refused. Units are taken one by one (decision.c, plan-remove.c), candidates of an amount are chosen among
 * (plan-amount.c), and then headroom is looked at (plan-headroom.c).
 */

#include "planner.h"

/*
 * Decides on a request whose options go together. Returns 0 and a planner with a plan without refusals, to be cleared;
 * -ENOMEM. A trial is only to tell whether a request would be refused: spares are left out.
 */
int planner_decide(const struct inventory *inventory, const struct policy_set *policies, const struct request *request,
                   bool is_trial, struct planner *ret);
/* Frees what a planner holds, and the plan where it was not taken. */
void planner_clear(struct planner *planner);

/* plan-remove.c */
int plan_remove(struct planner *planner);

/* plan-amount.c */
int plan_amount(struct planner *planner);
/*
 * The largest number of blocks up to n_blocks that whole units in the selection add up to; 0 if there is none.
 * Returns 0, -ENOMEM.
 */
int plan_amount_at_most(struct planner *planner, uint64_t n_blocks, uint64_t *ret);
/* Selected blocks that are in the wanted state already: what an amount that is a target starts from. */
uint64_t planner_count_in_target(const struct planner *planner);

/* plan-headroom.c */
int plan_check_headroom(struct planner *planner);
int plan_check_empty_nodes(struct planner *planner);
/* The largest number of blocks up to n_taken that leaves enough available, and how much that is. */
uint64_t plan_safe_blocks(const struct planner *planner, uint64_t n_taken, uint64_t *ret_keep_bytes);
