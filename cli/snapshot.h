/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Snapshot: a machine's memory as the reading commands see it, whoever told: memctld where it runs, else sysfs
 * itself or a copy of it (--sysroot).
 */

#include "client.h"
#include "inventory.h"
#include "options.h"
#include "plan.h"
#include "policy.h"

struct snapshot {
        struct inventory *inventory;
        struct range_policy *range_policies; /* of each of inventory->ranges */
        struct client *client;               /* NULL: memctld was not asked */
        struct policy_set policies;          /* only where memctld was not asked */
};

/*
 * Reads it: memctld tells all there is, of sysfs only what `flags` say is read. Says on standard error where memctld
 * was meant and could not be asked. Returns STATUS_DONE, or what to exit with after an error was printed.
 */
int snapshot_read(const struct options *options, enum inventory_flags flags, struct snapshot **ret);
/* The same from memctld or not at all. */
int snapshot_read_memctld(const struct options *options, struct snapshot **ret);
/* Asks memctld again, which must have told it. Returns 0, or -errno with the snapshot as it was. */
int snapshot_refresh(struct snapshot *snapshot, sd_bus_error *error);
/* Takes NULL, returns NULL. */
struct snapshot *snapshot_free(struct snapshot *snapshot);

/* The blocks that `words` name, everything where there are none. Returns as snapshot_read(). */
int snapshot_select(const struct snapshot *snapshot, char **words, size_t n_words, struct selection *ret);

/* Plans a change without starting it: memctld's plan, or one made here. Returns as snapshot_read(). */
int snapshot_plan(const struct snapshot *snapshot, const struct options *options, enum verb verb, char **words,
                  size_t n_words, struct plan **ret);

/* "memctld" or "sysfs": who told. */
const char *snapshot_teller(const struct snapshot *snapshot);
/* A line about the granularity and its source, for below every listing. The caller frees it. */
char *snapshot_granularity_note(const struct snapshot *snapshot);

/* "FILE:LINE: what is wrong", or of the file as a whole. The caller frees it; NULL without memory. */
char *policy_problem_text(const struct policy_problem *problem);
/* A line for each on standard error. */
void print_policy_problems(const struct policy_problems *problems);
