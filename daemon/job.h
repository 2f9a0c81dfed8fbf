/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A job: a plan being carried out as a transaction. Run by run it asks the worker what the blocks are, remembers
 * that, and has them written; if a block cannot go, the blocks already changed go back to the state and zone they had.
 *
 * A step that fails takes its whole removal unit back; then a spare unit is tried, or (best effort) the next one, or
 * everything rolls back. Fields are for reading by everyone and for writing by job*.c only.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "change.h"
#include "extent.h"
#include "plan.h"
#include "results.h"
#include "worker.h"

enum job_state {
        JOB_QUEUED,
        JOB_RUNNING,
        JOB_ROLLING_BACK,
        JOB_STUCK, /* a write does not end, not even with its process killed */
        JOB_FINISHED,
        _JOB_STATE_MAX,
};

enum job_result {
        JOB_RESULT_NONE,
        JOB_RESULT_DONE,
        JOB_RESULT_FAILED,
        JOB_RESULT_PARTIAL,
        JOB_RESULT_TIMED_OUT,
        JOB_RESULT_CANCELLED,
        JOB_RESULT_ROLLBACK_INCOMPLETE,
        _JOB_RESULT_MAX,
};

/* A step and the removal unit it lies in: what must not end half offline. */
struct job_step {
        struct step step;
        struct span unit;
};

/* What is to go physically once all steps are done: of one device, or (s390, pseries) of one range. */
struct job_removal {
        struct span span;
        enum range_driver driver;
        char *device;               /* NULL where the driver needs none */
        char range[RANGE_NAME_MAX]; /* it was planned for */
        struct span_list left;      /* not proven gone */
        bool is_asked;              /* the driver was told, or may have been */
        bool is_left_out;           /* it stays, as something of it could not go */
};

struct job;

struct job_callbacks {
        void (*changed)(struct job *job, void *userdata); /* state or progress */
        /* The blocks, after an unanswered trigger the machine, are to be read again; then job_removal_look(). */
        void (*look)(struct job *job, void *userdata);
        /* Once: the blocks are as they will be. The owner calls job_conclude() when its inventory shows it. */
        void (*ended)(struct job *job, void *userdata);
};

struct job_settings {
        bool keeps_parts;      /* a unit may end half changed: online, and offline with partial */
        bool dropped_refusals; /* best effort left something out already when planning */
        uint64_t block_timeout_usec;
        uint64_t rollback_timeout_usec;
        uint64_t block_size_bytes;
};

struct job {
        uint64_t id;
        struct change change;
        struct job_settings settings;
        enum job_state state;
        enum job_result result;

        struct job_step *steps;
        size_t n_steps;
        struct job_step *spares;
        size_t n_spares;
        struct job_removal *removals;
        size_t n_removals;
        struct span_list blocks; /* of steps, spares and removals: what the job holds against other jobs */
        struct span_list scope;  /* set by the owner: what was asked about, also what needs no step */

        struct result_list results;
        uint64_t bytes_total, bytes_done;

        /* Blocks that are or may be changed, with the state and zone they had; and those that could not go back. */
        struct extent_list prior;
        struct extent_list owed;

        sd_event *event;
        struct worker *worker;
        struct job_callbacks callbacks;
        void *userdata;
        uint64_t finished_usec;         /* CLOCK_MONOTONIC, set by the owner */
        bool recovers;                  /* set by the owner: loaded from its journal */
        bool retry_is_due;              /* set by the owner: of what is owed */
        uint64_t planned_at_generation; /* set by the owner: of the inventory the plan was made for */

        size_t step_index;
        uint64_t block;          /* the one in work */
        struct worker_run found; /* what it, and those behind it, were before they are written */
        bool found_is_old;       /* something was done since */
        bool is_writing;         /* the pending request is a write, else an inspection */
        bool has_failed;
        bool has_ended;
        bool is_removing;       /* the steps are done, drivers are being told */
        bool is_pulling;        /* the pending request is a trigger */
        bool is_unanswered;     /* nobody saw the end of the last one */
        bool any_gone;          /* some of the removals' blocks */
        bool removal_timed_out; /* also set by the owner of a job that ended so before */
        size_t removal_index;   /* the one whose trigger is or was pulled last */
        enum job_result stop;   /* TIMED_OUT or CANCELLED: why the forward phase was ended */
        struct span rollback_within;
        unsigned attempts; /* at this block */
        bool rollback_timed_out;
        sd_event_source *total_timer, *block_timer, *rollback_timer, *start_source, *finish_source;
};

/* Makes a queued job without steps. Takes over what `change` holds. Returns 0, -ENOMEM. */
int job_new(sd_event *event, uint64_t id, struct change *change, const struct job_callbacks *callbacks, void *userdata,
            struct job **ret);
/* A job that is not running. Takes NULL, returns NULL. */
struct job *job_free(struct job *job);

/*
 * Says what a queued job is to do; takes over steps and spares (malloc). May be called again until it is started.
 * Returns 0, -ENOMEM (the arrays are freed all the same).
 */
int job_plan(struct job *job, const struct job_settings *settings, struct job_step *steps, size_t n_steps,
             struct job_step *spares, size_t n_spares);
/*
 * Puts the steps into the order in which onlining is quick; takes *steps and gives another array. With every block the
 * kernel looks through the block's zone, from the start to the first hole, whether it has any (set_zone_contiguous() in
 * mm/mm_init.c): blocks that come online one behind the other take time that grows with the square of their number. So
 * of blocks that follow each other the second one comes last. That is no help in a zone that reaches far below them
 * without a hole. Steps that have spares are not to be put into another order, as a spare steps in for a unit whose
 * steps are one behind the other. Returns 0, -ENOMEM (and nothing is changed).
 */
int job_order_online(struct job_step **steps, size_t *n);
/* Adds a removal of the range named so to a job that job_plan() got; copies both. Returns 0, -ENOMEM. */
int job_add_removal(struct job *job, const struct removal *removal, const char *range);
/*
 * Takes from the inventory how the first blocks are. The worker looks at each of them before it is written, so what is
 * no longer so is looked at again; but where all is as it was read, the job starts without having to ask.
 */
void job_assume(struct job *job, const struct inventory *inventory);
/* Starts a queued job on an idle worker. */
void job_start(struct job *job, struct worker *worker);
/*
 * Takes up a job whose blocks in `prior` may be changed (job-record.h): rolls them back, but for what is to be kept. If
 * all steps are in their target state nothing is owed: the job was done. Best effort keeps the units that went whole.
 */
void job_recover(struct job *job, struct worker *worker, const struct inventory *inventory);
/* Tries what is owed once more: an ended job is rolling back again, and ends again. */
void job_retry(struct job *job, struct worker *worker);
/* Somebody else decided what these blocks are to be: nothing is owed for them any more. Returns whether it was. */
bool job_forgive(struct job *job, const struct span_list *blocks);

/* Ends a queued job: nothing is tried, and every block says why (an errno; ESTALE: the plan is no longer good). */
void job_reject(struct job *job, int error);
/* Ends a queued job, or the forward phase of a running one; the rollback follows. Later calls change nothing. */
void job_cancel(struct job *job);
/* To be told by the owner of the worker: its request outlived SIGKILL. */
void job_worker_stuck(struct job *job);

/*
 * The inventory is another one: what a removal waits for may be gone. `is_fresh`: it was read after `look`. Does
 * nothing with a job that is not waiting.
 */
void job_removal_look(struct job *job, const struct inventory *inventory, bool is_fresh);
/* The same of an ended job that waits no longer. Returns whether all that was told to go is gone now. */
bool job_removal_settle(struct job *job, const struct inventory *inventory);
/* A driver was told to let go: what follows can no longer be undone. */
bool job_is_committed(const struct job *job);
/* What was told to go is not proven gone; and it may go yet. */
bool job_awaits_removal(const struct job *job);
bool job_may_still_remove(const struct job *job);
/* Whether one trigger is for both. */
bool job_removal_same_device(const struct job_removal *a, const struct job_removal *b);

/* Gives an ended job its result. */
void job_conclude(struct job *job);
/* It is finished, or `ended` was called or will be, from the loop. */
bool job_is_ending(const struct job *job);

/* 0 to 1. */
double job_progress(const struct job *job);
/* What it is about, and what of that is done: of a removal each block once, though it goes offline and then away. */
uint64_t job_bytes_total(const struct job *job);
uint64_t job_bytes_done(const struct job *job);
bool job_overlaps(const struct job *job, const struct span_list *blocks);

const char *job_state_to_string(enum job_state state);
const char *job_result_to_string(enum job_result result); /* "" for NONE */
int job_result_from_string(const char *word, enum job_result *ret);
