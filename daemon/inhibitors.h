/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Inhibitors: who keeps memory from being changed (block), or wants to be told before (delay), and for how long: until
 * the last copy of the fd they were given is closed. The other end of that pipe is here and in the service manager's
 * fd store (sd_pid_notify_with_fds(3)), and what it stands for is in the runtime directory, so that an inhibitor
 * outlives a restart of the service. Knows nothing of jobs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "inventory.h"
#include "plan.h"

struct inhibitors;

enum inhibit_mode {
        INHIBIT_BLOCK, /* refused, "inhibited" */
        INHIBIT_DELAY, /* put off until released, for a bounded time */
        _INHIBIT_MODE_MAX,
};

struct inhibitor {
        uint64_t id;
        unsigned verbs;   /* 1 << enum verb, or-ed */
        char **selectors; /* NULL-terminated, no amount; resolved anew each time */
        enum inhibit_mode mode;
        char *who, *why; /* for people */
        uid_t uid;
        pid_t pid; /* 0 not known */
};

/* "offline:online" ⇄ verbs. The word is the caller's to free, NULL without memory. Returns 0, -EINVAL. */
int inhibit_what_from_string(const char *words, unsigned *ret_verbs);
char *inhibit_what_to_string(unsigned verbs);
const char *inhibit_mode_to_string(enum inhibit_mode mode);
int inhibit_mode_from_string(const char *word, enum inhibit_mode *ret);

/* Frees what it holds. */
void inhibitor_clear(struct inhibitor *inhibitor);

/* Called when one was released. */
typedef void (*inhibitors_released_fn)(void *userdata);

/* Returns 0, -ENOMEM. */
int inhibitors_new(sd_event *event, inhibitors_released_fn released, void *userdata, struct inhibitors **ret);
/* The holders' fds stay valid, and the fd store keeps its own. Takes NULL, returns NULL. */
struct inhibitors *inhibitors_free(struct inhibitors *inhibitors);

/* An fd that the service manager kept, and the name it was kept under; taken over. One that means nothing is closed. */
void inhibitors_restore(struct inhibitors *inhibitors, int fd, const char *name);

/*
 * Takes over what `inhibitor` holds and gives the holder's fd. Returns 0, -EDQUOT if there are too many (of this user,
 * or at all), -errno.
 */
int inhibitors_add(struct inhibitors *inhibitors, struct inhibitor *inhibitor, int *ret_fd);

/* The nth, oldest first; NULL behind the last. Valid until the loop runs again. */
const struct inhibitor *inhibitors_get(const struct inhibitors *inhibitors, size_t n);

/* Blocks that the inhibitor speaks of now. Returns 0, -ENOMEM. */
int inhibitor_blocks(const struct inhibitor *inhibitor, const struct inventory *inventory, struct span_list *ret);
/* Whether it stands against this verb on any of the blocks, in this mode. Without memory: yes. */
bool inhibitor_applies(const struct inhibitor *inhibitor, enum inhibit_mode mode, enum verb verb,
                       const struct span_list *blocks, const struct inventory *inventory);
