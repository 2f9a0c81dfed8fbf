/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The manager: holds the inventory, the policies and the jobs, and says what a request comes to. It knows nothing of
 * the bus; whoever serves people registers as its observer.
 *
 * The way of a change: manager_plan() → the caller authorises → manager_submit() plans again and queues a job → the
 * job runs → the inventory is read → the observer is told.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "change.h"
#include "inhibitors.h"
#include "inventory.h"
#include "job.h"
#include "plan.h"

struct manager;

struct manager_observer {
        void (*ready)(void *userdata); /* the first inventory is there */
        void (*failed)(int error, void *userdata);
        void (*inventory_changed)(const struct inventory *previous, const struct span_list *changed, bool gone,
                                  void *userdata);
        void (*prepare_for)(const struct job *job, bool start, void *userdata);
        void (*job_new)(struct job *job, void *userdata);
        void (*job_changed)(struct job *job, void *userdata);
        void (*job_finished)(struct job *job, void *userdata);
        void (*job_removed)(struct job *job, void *userdata); /* about to be freed */
        void (*idle)(void *userdata);                         /* after manager_stop(): every job has ended */
};

/* An fd that the service manager kept over a restart. */
struct stored_fd {
        int fd;
        const char *name;
};

struct manager_options {
        const char *executable;         /* of the worker processes */
        const char *sysroot;            /* NULL: the running system */
        int uevent_fd;                  /* -1: none inherited */
        const struct stored_fd *stored; /* taken over */
        size_t n_stored;
        const struct manager_observer *observer;
        void *userdata;
};

/* Returns 0 or -errno; `ready` or `failed` follows. */
int manager_new(sd_event *event, const struct manager_options *options, struct manager **ret);
/* Takes NULL, returns NULL. */
struct manager *manager_free(struct manager *manager);

/* NULL before `ready`. */
const struct inventory *manager_inventory(const struct manager *manager);
uint64_t manager_generation(const struct manager *manager);
uint64_t manager_events_lost(const struct manager *manager);

/* How a range comes to its policy. */
enum policy_choice {
        POLICY_CHOICE_UDEV,    /* a udev rule named it */
        POLICY_CHOICE_MATCH,   /* the first file in name order whose [Match] fits */
        POLICY_CHOICE_DEFAULT, /* built in */
};
const struct policy *manager_policy(const struct manager *manager, const struct range *range,
                                    enum policy_choice *ret_choice);
const struct policy_set *manager_policies(const struct manager *manager);
/* What is wrong with the files that are not in force. */
const struct policy_problems *manager_policy_problems(const struct manager *manager);
/* Reads the configuration and the policies again; broken files are logged and left out. Returns 0 or -errno. */
int manager_reload(struct manager *manager);

/*
 * Looks at the change's blocks again, and at the nodes' free memory, so that a plan is made for what is, not for what
 * was. `done` always follows, with an error if the reader does not answer in time. Returns 0, -ENOMEM.
 */
typedef void (*manager_sync_fn)(int error, void *userdata);
int manager_sync(struct manager *manager, const struct change *change, manager_sync_fn done, void *userdata);
void manager_sync_cancel(struct manager *manager, const void *userdata);

/*
 * What the change would come to now. Returns CHANGE_PLANNED and *ret (refusals included), CHANGE_INVALID_* and
 * *ret_message, or -errno.
 */
int manager_plan(struct manager *manager, const struct change *change, struct plan **ret, char **ret_message);
/* Whether the plan's refusals end the matter (with best effort the rest may go on). */
bool manager_is_refused(const struct change *change, const struct plan *plan);
/*
 * Plans again and queues the job. Takes over what `change` holds if CHANGE_PLANNED. On CHANGE_REFUSED *ret_plan has
 * the refusals and is the caller's. A request id that a job of the same user already has gives that job.
 */
int manager_submit(struct manager *manager, struct change *change, struct job **ret, struct plan **ret_plan,
                   char **ret_message);

/* The job that the same user gave the same request id, or NULL. */
struct job *manager_find_request(const struct manager *manager, const struct change *change);

/*
 * Takes an inhibitor, whose content is then the manager's. Returns 0 and the holder's fd; CHANGE_INVALID_SELECTOR or
 * CHANGE_REFUSED with *ret_message; CHANGE_LIMIT; -errno.
 */
int manager_inhibit(struct manager *manager, struct inhibitor *inhibitor, int *ret_fd, char **ret_message);
/* The nth, oldest first; NULL behind the last. */
const struct inhibitor *manager_inhibitor(const struct manager *manager, size_t n);

struct job *manager_find_job(const struct manager *manager, uint64_t id);
/* All jobs, oldest first; *ret_n of them. Valid until the loop runs again. */
struct job *const *manager_jobs(const struct manager *manager, size_t *ret_n);

/* Takes up jobs that a former process left; to be called once people can see them. */
void manager_recover(struct manager *manager);

/* Takes no more changes, cancels every job; `idle` follows when all rollbacks are through. */
void manager_stop(struct manager *manager);
