/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the queue's files share with each other and nobody else. */

#include "queue.h"

/* How long an ended job stays. */
#define RETENTION_USEC (60 * USEC_PER_SEC)

struct queue {
        sd_event *event;
        struct queue_options options;
        struct worker *writer;
        struct job **jobs; /* oldest first */
        size_t n_jobs, n_allocated;
        uint64_t next_id;
        struct job *running; /* also while its inventory is being read, before and after */
        bool stopping;
        sd_event_source *expiry; /* of the job that ended first */
        sd_event_source *idle_source;
        uint64_t retried_usec;
        sd_event_source *retry_timer; /* NULL: nothing to retry, or not before the one that runs has ended */
        sd_event_source *lock_timer, *huge_pages_timer;
};

extern const struct job_callbacks queue_job_callbacks;

uint64_t queue_now_usec(const struct queue *queue);
/* CLOCK_BOOTTIME: means the same to the next process. */
uint64_t queue_boottime_usec(void);
/* Writes how the job ended to its journal, if it has one. */
void queue_end_journal(const struct job *job);
/* Takes away jobs that ended long enough ago. */
void queue_expire(struct queue *queue);
/* Gives back what an ended job dissolved. Returns false if that is nothing; else queue_show_end() follows. */
bool queue_restore_huge_pages(struct queue *queue, struct job *job);
/* Finishes an ended job as soon as the inventory shows what it did. */
void queue_show_end(struct queue *queue, struct job *job);
/* Takes up an unfinished job, as the one that runs. */
void queue_start_recovery(struct queue *queue, struct job *job);
/* Says what the job owes. */
void queue_log_owed(const struct job *job);
/* What earlier jobs owe for blocks that somebody has decided about since, by a job that went well, is settled. */
void queue_forgive(struct queue *queue, const struct job *done);
/* Something changed: each job that owes something is to try once more, one after the other. */
void queue_look_at_owed(struct queue *queue);
/* Goes on with that, if nothing runs. */
void queue_retry_owed(struct queue *queue);
