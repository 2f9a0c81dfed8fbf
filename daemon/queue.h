/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The queue: all jobs, one of them running (the kernel serialises hot-plug anyway), each kept for a minute after its
 * end. Owns the writer process.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "job.h"
#include "tracker.h"

struct queue;

struct queue_callbacks {
        /* A job's turn has come. Returns true if it has to wait for something: queue_go_on() follows then. */
        bool (*prepare)(struct job *job, void *userdata);
        /* A queued job's turn has come: plan it again. Returns false if it no longer fits. */
        bool (*plan_again)(struct job *job, void *userdata);
        void (*job_new)(struct job *job, void *userdata);
        void (*job_changed)(struct job *job, void *userdata);
        void (*job_finished)(struct job *job, void *userdata);
        void (*job_removed)(struct job *job, void *userdata);
        void (*idle)(void *userdata);
};

struct queue_options {
        const char *executable;
        const char *sysroot;
        struct tracker *tracker;
        struct queue_callbacks callbacks;
        void *userdata;
};

/* Returns 0 or -errno. */
int queue_new(sd_event *event, const struct queue_options *options, struct queue **ret);
/* Takes NULL, returns NULL. */
struct queue *queue_free(struct queue *queue);

/* Makes a job without steps, that queue_add() or job_free() gets. Returns 0, -ENOMEM. */
int queue_make_job(struct queue *queue, struct change *change, struct job **ret);
/* Takes over a planned job and announces it; it starts when its turn comes. Returns 0, -ENOMEM (it is freed). */
int queue_add(struct queue *queue, struct job *job);

/* The job is prepared. */
void queue_go_on(struct queue *queue, struct job *job);

struct job *queue_find(const struct queue *queue, uint64_t id);
struct job *queue_find_request(const struct queue *queue, uid_t uid, const char *request_id);
struct job *const *queue_jobs(const struct queue *queue, size_t *ret_n);
/* The first unfinished job but `except` that holds any of these blocks, or NULL. */
struct job *queue_holder(const struct queue *queue, const struct span_list *blocks, const struct job *except);
/* Unfinished jobs that a user asked for. */
size_t queue_count_active(const struct queue *queue, uid_t uid);

/*
 * Takes up what a former process left: unfinished jobs are rolled back, ended ones stay readable for the rest of their
 * minute. To be called once the tracker has an inventory.
 */
void queue_recover(struct queue *queue);
/* Something changed on the machine: what is waited for may be gone, what could not be rolled back may be possible. */
void queue_look(struct queue *queue);

/* Cancels everything; `idle` follows when all jobs have ended. */
void queue_stop(struct queue *queue);
