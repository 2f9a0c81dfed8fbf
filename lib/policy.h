/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Policy: what may be done to which range, and what is done by itself. Read from
 * {/usr/lib,/run,/etc}/memctl/policy.d/NAME.policy and NAME.policy.d/ *.conf drop-ins; the same name in /etc wins over
 * /run over /usr/lib, a link to /dev/null masks, and the first file in name order whose [Match] fits a range is its
 * policy. Documented for users in memctl.policy(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "inventory.h"

enum policy_mode {
        POLICY_MODE_MANUAL, /* nobody onlines by itself: the default */
        POLICY_MODE_AUTO,   /* memctld onlines */
        POLICY_MODE_KERNEL, /* left to auto_online_blocks, memctld only watches */
};

/* [Online] Zone=, and the zone of an online request. */
enum online_zone {
        ONLINE_ZONE_DEFAULT, /* "online": the kernel chooses */
        ONLINE_ZONE_KERNEL,  /* "online_kernel" */
        ONLINE_ZONE_MOVABLE, /* "online_movable" */
        _ONLINE_ZONE_MAX,
};

struct policy {
        char *name; /* "50-cxl" of 50-cxl.policy; "" the built-in default */
        char *file; /* full path; "" the built-in default */

        /* [Match]; NULL or unset matches everything */
        char *match_name; /* glob */
        int match_node;   /* NODE_NONE any */
        int match_driver; /* enum range_driver, -1 any */
        uint64_t match_minimum_size_bytes;

        enum policy_mode mode;
        enum online_zone zone;
        bool partial_allowed;
        unsigned keep_available_percent; /* of what stays */
        uint64_t keep_available_bytes;   /* used instead where it is not 0 */
        uint64_t timeout_usec;
        bool remove_allowed;
};

struct policy_set {
        struct policy *items; /* in name order */
        size_t n;
};

/* What is wrong with a file; the file counts as broken and the others stay in force. */
struct policy_problem {
        char *file;
        unsigned line; /* 0: the file as a whole */
        char *message;
};

struct policy_problems {
        struct policy_problem *items;
        size_t n;
};

/* The built-in default: Mode=manual Zone=movable Partial=allow KeepAvailable=5% TimeoutSec=60 Allow=yes. */
extern const struct policy policy_default;

/* Parses one policy text (for tests and fuzzing). Returns 0, -ENOMEM, or -EINVAL with problems appended. */
int policy_parse(const char *name, const char *file, const char *text, struct policy *ret,
                 struct policy_problems *problems);
void policy_clear(struct policy *policy);

/*
 * Reads all directories below root_fd (openat; "/" is the running system). Returns 0 with whatever files are
 * sound, problems for the others; -errno only where nothing could be read at all for lack of memory.
 */
int policy_set_load(int root_fd, struct policy_set *ret, struct policy_problems *problems);
void policy_set_clear(struct policy_set *set);
void policy_problems_clear(struct policy_problems *problems);

/* The policy of a range: by name if a udev rule named one and it exists, else the first that fits, else the default. */
const struct policy *policy_set_find(const struct policy_set *set, const struct range *range, uint64_t block_size_bytes,
                                     const char *udev_name);

/*
 * Calls `each` for every setting as a file would have it, with its section in front ("Online.Mode", "auto"); of [Match]
 * only what is set. A negative return ends it and is returned; else 0, or -ENOMEM.
 */
typedef int (*policy_setting_fn)(const char *key, const char *value, void *userdata);
int policy_each_setting(const struct policy *policy, policy_setting_fn each, void *userdata);

const char *policy_mode_to_string(enum policy_mode mode);
const char *online_zone_to_string(enum online_zone zone); /* "default", "kernel", "movable" */
int online_zone_from_string(const char *word, enum online_zone *ret);
