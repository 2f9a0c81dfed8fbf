/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of a job, forward (job-forward.c, job-removal.c) and back (job-rollback.c), share with each other and
 * nobody else. */

#include "job.h"

/* At a block. Back to its zone takes at most: offline, online in the right one, and a look at the result. */
#define ATTEMPTS_MAX 4

extern const struct span job_everything;

/* Both directions */
void job_set_state(struct job *job, enum job_state state);
void job_note(struct job *job, struct span span, enum block_outcome outcome, int error);
/* Asks about job->block (and on the way forward those behind it), or has a run written that starts there; the reply
 * goes to the direction the job has. */
void job_inspect(struct job *job);
void job_write(struct job *job, const struct worker_run *run, const char *word);
/* Sets a timer anew; USEC_INFINITY: none. */
void job_arm(struct job *job, sd_event_source **timer, uint64_t timeout_usec, sd_event_time_handler_t handler);
/* Restarts the clock that runs while nothing happens. */
void job_arm_block_timer(struct job *job);
bool job_is_all_going_back(const struct job *job);
/* Whether b follows a without a gap and writes the same. */
bool job_step_follows(const struct job_step *a, const struct job_step *b);
/* How many steps from `first` on lie in one unit. */
size_t job_count_unit_steps(const struct job_step *steps, size_t n, size_t first);
/* Puts a spare unit behind the failed one, whose steps begin at `unit_first` and end at `behind`. Returns false if
 * there is none of its size. */
bool job_take_spare(struct job *job, size_t unit_first, size_t behind);
/* All writes are over. The second one says so from the loop, so that whoever started the job replies first. */
void job_finish(struct job *job);
void job_finish_later(struct job *job);

/* Forward */

/* Ends it: the rollback follows. */
void job_stop(struct job *job, enum job_result why);

/* The unit that failed is as before, or owed: on with a spare, the next unit, or back with all. */
void job_unit_restored(struct job *job);

/* Back */

/* What was changed inside the span goes back; then the job ends, or with less than everything, goes on. */
void job_roll_back(struct job *job, struct span within);
void job_on_rollback_reply(const struct worker_reply *reply, int payload_fd, void *userdata);

/* Removal (job-removal.c) */

/* Tells the next driver; with none left the job ends. */
void job_remove_next(struct job *job);
/* The time is up: what was told to go and is still there is reported. */
void job_removal_timeout(struct job *job);
/* Takes up what a former process began to remove. */
void job_recover_removals(struct job *job, const struct inventory *inventory);
void job_removals_clear(struct job *job);
