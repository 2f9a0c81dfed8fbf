/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The onliner: what policy says of a range that appears, done once in its life. What was dealt with is kept in the
 * runtime directory, so that neither a restart nor a repeated event brings online what an administrator took offline.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "inventory.h"
#include "policy.h"

struct onliner;

struct onliner_callbacks {
        const struct policy *(*policy_of)(const struct range *range, void *userdata);
        /* Whether any policy in force asks whose driver added a range: firmware links come after the events. */
        bool (*drivers_matter)(void *userdata);
        /* Whether udevd has had its say about rangeN, and whether there is a udevd that may have one. */
        bool (*udev_has_seen)(uint64_t range_number, void *userdata);
        bool (*udev_may_speak)(void *userdata);
        /* Whether the range is what is left of one that was removed in part. */
        bool (*is_remainder)(uint64_t range_number, void *userdata);
        /* Brings a range online, as its policy says, with best effort. Returns 0 or -errno, said in the log. */
        int (*bring_online)(const char *range_name, void *userdata);
        /* Reads the machine again; onliner_look() follows. */
        void (*resync)(void *userdata);
};

/* Returns 0, -ENOMEM. */
int onliner_new(sd_event *event, const struct onliner_callbacks *callbacks, void *userdata, struct onliner **ret);
/* Takes NULL, returns NULL. */
struct onliner *onliner_free(struct onliner *onliner);

/* Something changed: the inventory, what udev says, or the policies. */
void onliner_look(struct onliner *onliner, const struct inventory *inventory);
