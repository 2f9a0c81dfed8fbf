/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Plan: request + inventory + policy → steps or refusals. Pure: the same input gives the same plan, and nothing
 * is read or written. A refusal is a value with a reason and a way out; a fault is a negative errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "inventory.h"
#include "policy.h"
#include "selector.h"

enum verb {
        VERB_ONLINE,
        VERB_OFFLINE,
        VERB_REMOVE,
        _VERB_MAX,
};

/* One enum for text, JSON and D-Bus: "splits-mapping", "boot-memory", … */
enum refusal_reason {
        REASON_SPLITS_MAPPING,
        REASON_BOOT_MEMORY,
        REASON_NO_SUCH_BLOCK,
        REASON_HOLE,
        REASON_NOT_ENOUGH,
        REASON_NO_HEADROOM,
        REASON_WHOLE_DEVICE,
        REASON_NOT_REMOVABLE,
        REASON_HYPERVISOR_OWNED,
        REASON_ZONE,
        REASON_POLICY,
        REASON_INHIBITED,   /* added by the daemon, which knows its inhibitors */
        REASON_IN_PROGRESS, /* added by the daemon, which knows its jobs */
        REASON_STALE,       /* added by the daemon */
        _REFUSAL_REASON_MAX,
};

struct refusal {
        enum refusal_reason reason;
        struct span span; /* n_blocks 0 where no blocks are meant (a range that is not there, an amount) */
        /*
         * The whole text, as the command line prints it behind "memctl: refused: ": what and why on the first
         * line, then a line for each way out, "  label:  command   (note)". No newline at the end.
         */
        char *text;
        char **suggestions; /* the ways out as commands, each a valid request: "memctl offline memory40-47" */
        size_t n_suggestions;
};

/* Blocks that change state, in the order they are written; a step lies within one unit. */
struct step {
        struct span span;
        enum block_state target;
        enum online_zone zone; /* target online: what is written to memoryN/state */
};

/* What goes away physically, after its blocks are offline: a whole range, or units of one where its driver can. */
struct removal {
        struct span span;
        uint64_t range_number; /* of the exported or estimated range */
        bool range_exported;
        enum range_driver driver;
        char *device; /* NULL where the driver needs none */
};

enum side_effect_kind {
        SIDE_EFFECT_HUGE_PAGES, /* free huge pages in the blocks are dissolved */
        SIDE_EFFECT_EMPTY_NODE, /* a node has no memory left */
        SIDE_EFFECT_PARTIAL,    /* blocks stay mapped and cannot be removed by themselves */
        _SIDE_EFFECT_KIND_MAX,
};

struct side_effect {
        enum side_effect_kind kind;
        uint64_t amount; /* huge pages, node number, bytes */
        char *text;
};

/* How easily a unit goes, 0 easiest: breaks ties between candidates of an amount. NULL function: all the same. */
typedef unsigned (*plan_hint_fn)(struct span unit, void *userdata);

struct request {
        enum verb verb;
        const struct selector_list *selectors;
        bool partial;     /* offline only, never with an amount */
        bool best_effort; /* refused units are dropped */
        bool ignore_headroom;
        bool empty_node;
        bool has_zone; /* --zone given: online only */
        enum online_zone zone;
        plan_hint_fn hint;
        void *hint_userdata;
        /* Policy name a udev rule gave a range (MEMCTL_POLICY), or NULL. */
        const char *(*udev_policy)(const struct range *range, void *userdata);
        void *udev_policy_userdata;
};

struct plan {
        struct step *steps;
        size_t n_steps;
        /*
         * For amounts: whole units in order of preference, taken when a unit of `steps` cannot go. Only one that
         * changes as many blocks as the failed unit keeps the amount exact; each is as large as one that was chosen.
         */
        struct step *spares;
        size_t n_spares;
        struct removal *removals; /* verb remove: in address order, when all steps are done */
        size_t n_removals;
        struct refusal *refusals; /* with best_effort beside steps, else steps are empty where there are any */
        size_t n_refusals;
        struct side_effect *side_effects;
        size_t n_side_effects;
        uint64_t bytes_total;  /* what steps change */
        uint64_t timeout_usec; /* per block without progress: the smallest of the policies */
};

/*
 * Makes a plan. Returns 0 (also with refusals), -ENOMEM, or -EINVAL with *ret_message for options that exclude each
 * other (partial with an amount or another verb than offline, remove with an amount, zone with another verb than
 * online).
 */
int plan_make(const struct inventory *inventory, const struct policy_set *policies, const struct request *request,
              struct plan **ret, char **ret_message);
/* Takes NULL, returns NULL. */
struct plan *plan_free(struct plan *plan);

/* Exit status and D-Bus error of the refusals: true if every one is splits-mapping (3), else false (4). */
bool plan_refused_only_splits(const struct plan *plan);
/* All refusals' texts, one behind the other, newline between; the caller frees it. NULL without memory. */
char *plan_refusal_text(const struct plan *plan);
/* Appends a refusal (the daemon's own reasons). Takes ownership of text and suggestions. Returns 0, -ENOMEM. */
int plan_add_refusal(struct plan *plan, enum refusal_reason reason, struct span span, char *text, char **suggestions,
                     size_t n_suggestions);

const char *verb_to_string(enum verb verb);
int verb_from_string(const char *word, enum verb *ret);
const char *refusal_reason_to_string(enum refusal_reason reason);
const char *side_effect_kind_to_string(enum side_effect_kind kind);
/* "online", "online_kernel", "online_movable", "offline": what goes into memoryN/state. */
const char *step_state_word(const struct step *step);
