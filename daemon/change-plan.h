/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a change comes to here and now: the model's plan, and the reasons to refuse that only the daemon knows (a job
 * that already works there, somebody who inhibits it, a generation that is no longer the one expected, no way to
 * remove).
 */

#include "change.h"
#include "inhibitors.h"
#include "inventory.h"
#include "job.h"
#include "policy.h"
#include "queue.h"

struct change_planning {
        const struct inventory *inventory;
        const struct policy_set *policies;
        const struct queue *queue;
        const struct inhibitors *inhibitors;
        uint64_t rollback_timeout_usec;
        uint64_t generation;
        const struct job *except; /* a job that plans again does not stand in its own way */
        const char *(*udev_policy)(const struct range *range, void *userdata);
        void *udev_policy_userdata;
};

/*
 * What the change would come to now. Returns CHANGE_PLANNED and *ret (refusals included), CHANGE_INVALID_* and
 * *ret_message, or -errno.
 */
int change_plan_make(const struct change_planning *planning, const struct change *change, struct plan **ret,
                     char **ret_message);

/* Whether it ends with a removal unit half offline. */
bool change_plan_leaves_parts(const struct plan *plan);

/* Blocks the selectors mean, an amount aside. Nothing where they cannot be parsed. Returns 0, -ENOMEM. */
int change_scope(const struct change *change, const struct inventory *inventory, struct span_list *ret);

/* Gives a job the steps of a plan, each with the unit it lies in. Returns 0, -ENOMEM. */
int change_plan_to_job(const struct change_planning *planning, const struct plan *plan, struct job *job);
