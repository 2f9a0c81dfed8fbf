/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way back: of a unit that failed, of a whole job, and of a job that a former process left. */

#include <errno.h>

#include "cleanup.h"
#include "job-parts.h"
#include "log.h"

const struct span job_everything = { 0, UINT64_MAX };

static void roll_back_next(struct job *job);

static int on_rollback_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct job *job = userdata;

        (void)source;
        (void)usec;
        job->rollback_timed_out = true;
        worker_abort(job->worker);
        return 0;
}

/* The changed block with the highest number inside the rollback's span, and what it was. */
static const struct extent *last_prior(const struct job *job, uint64_t *ret_block) {
        for (size_t i = job->prior.n; i-- > 0;) {
                struct span both = span_intersect(extent_span(&job->prior.items[i]), job->rollback_within);

                if (both.n_blocks > 0) {
                        *ret_block = span_end(&both) - 1;
                        return &job->prior.items[i];
                }
        }
        return NULL;
}

void job_roll_back(struct job *job, struct span within) {
        job->block_timer = sd_event_source_disable_unref(job->block_timer);
        job->rollback_within = within;
        job->rollback_timed_out = false;
        if (job_is_all_going_back(job)) {
                job->total_timer = sd_event_source_disable_unref(job->total_timer);
                job->has_failed = true;
        }
        job_arm(job, &job->rollback_timer, job->settings.rollback_timeout_usec, on_rollback_timer);
        job_set_state(job, JOB_ROLLING_BACK);
        job->attempts = 0;
        roll_back_next(job);
}

static void rollback_ended(struct job *job) {
        bool was_everything = job_is_all_going_back(job);

        job->rollback_timer = sd_event_source_disable_unref(job->rollback_timer);
        job->rollback_within = (struct span){ 0 };
        if (was_everything)
                job_finish(job);
        else
                job_unit_restored(job);
}

static void roll_back_next(struct job *job) {
        uint64_t block;

        if (!last_prior(job, &block)) {
                rollback_ended(job);
                return;
        }
        job->block = block;
        job_inspect(job);
}

static void leave_block(struct job *job) {
        job->attempts = 0;
        if (extent_list_remove(&job->prior, (struct span){ job->block, 1 }) < 0) {
                /* Splitting a run needs memory; without it this rollback cannot know where it is. */
                (void)log_oom();
                job->rollback_timed_out = true;
        }
}

static void block_restored(struct job *job) {
        const struct result_run *run = result_list_find(&job->results, job->block);

        if (run && run->outcome == OUTCOME_DONE && job->bytes_done >= job->settings.block_size_bytes)
                job->bytes_done -= job->settings.block_size_bytes;
        if (run && (run->outcome == OUTCOME_DONE || run->outcome == OUTCOME_OWED))
                job_note(job, (struct span){ job->block, 1 }, OUTCOME_ROLLED_BACK, 0);
        leave_block(job);
        job->callbacks.changed(job, job->userdata);
        roll_back_next(job);
}

static void block_owed(struct job *job, const struct extent *prior, int error) {
        struct extent owed = *prior;

        owed.first_block = job->block;
        owed.n_blocks = 1;
        if (extent_list_set(&job->owed, &owed) < 0)
                (void)log_oom();
        job_note(job, (struct span){ job->block, 1 }, OUTCOME_OWED, error);
        leave_block(job);
        roll_back_next(job);
}

/* Time is up: whatever is left is owed. */
static void all_owed(struct job *job) {
        const struct extent *prior;
        uint64_t block;

        while ((prior = last_prior(job, &block))) {
                struct span span = span_intersect(extent_span(prior), job->rollback_within);
                struct extent owed = *prior;

                owed.first_block = span.first_block;
                owed.n_blocks = span.n_blocks;
                if (extent_list_set(&job->owed, &owed) < 0)
                        (void)log_oom();
                job_note(job, span, OUTCOME_OWED, ETIMEDOUT);
                if (extent_list_remove(&job->prior, span) < 0)
                        extent_list_clear(&job->prior);
        }
        rollback_ended(job);
}

static bool is_as_before(const struct extent *prior, const struct worker_found *found) {
        return found->state == prior->state &&
               (prior->state != BLOCK_ONLINE || prior->zone == ZONE_NONE || found->zone == prior->zone);
}

/* What to write next so that a block comes back to the state and zone it had. */
static const char *way_back(const struct extent *prior, const struct worker_found *found) {
        if (prior->state == BLOCK_OFFLINE || found->state == BLOCK_ONLINE)
                return "offline";
        switch (prior->zone) {
        case ZONE_NONE:
                return "online";
        case ZONE_MOVABLE:
                return "online_movable";
        default:
                return "online_kernel";
        }
}

/* The process died, or somebody else changed the block meanwhile. */
static bool is_to_look_again(const struct worker_reply *reply) {
        return reply->error == -ECHILD || reply->error == -ESTALE;
}

void job_on_rollback_reply(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct job *job = userdata;
        const struct extent *prior;
        uint64_t block;

        (void)payload_fd;
        job->found = reply->run;
        if (job->state == JOB_STUCK)
                job_set_state(job, JOB_ROLLING_BACK);
        prior = last_prior(job, &block);
        if (job->rollback_timed_out || !prior)
                all_owed(job);
        /* After a write, and where nothing is known of the block: look. */
        else if ((reply->error == 0 && job->is_writing) || (is_to_look_again(reply) && job->attempts++ < ATTEMPTS_MAX))
                job_inspect(job);
        else if (reply->error < 0)
                block_owed(job, prior, -reply->error);
        else if (is_as_before(prior, job->found.found))
                block_restored(job);
        else if (job->attempts++ >= ATTEMPTS_MAX)
                block_owed(job, prior, EIO);
        else
                job_write(job, &job->found, way_back(prior, job->found.found));
}

/* After a restart */

static bool is_in_target(const struct job_step *step, const struct inventory *inventory) {
        uint64_t block = step->step.span.first_block;

        while (block < span_end(&step->step.span)) {
                const struct extent *extent = extent_list_find(&inventory->extents, block);

                if (!extent || extent->state != step->step.target)
                        return false;
                block = extent_end(extent);
        }
        return true;
}

/* All steps of the unit that starts at steps[first]. */
static bool is_unit_in_target(const struct job *job, size_t first, const struct inventory *inventory) {
        size_t n = job_count_unit_steps(job->steps, job->n_steps, first);

        for (size_t i = first; i < first + n; i++)
                if (!is_in_target(&job->steps[i], inventory))
                        return false;
        return true;
}

static void keep(struct job *job, const struct job_step *step) {
        if (extent_list_remove(&job->prior, step->step.span) < 0)
                (void)log_oom();
        job_note(job, step->step.span, OUTCOME_DONE, 0);
}

/* What need not go back; says whether that is everything. */
static bool keep_what_went(struct job *job, const struct inventory *inventory) {
        bool all = true;

        for (size_t i = 0; i < job->n_steps; i++)
                all = all && is_in_target(&job->steps[i], inventory);
        for (size_t i = 0; i < job->n_steps; i++) {
                size_t first = i;

                while (first > 0 && job->steps[first - 1].unit.first_block == job->steps[i].unit.first_block)
                        first--;
                if (all ||
                    (job->change.best_effort && !job->settings.keeps_parts && is_unit_in_target(job, first, inventory)))
                        keep(job, &job->steps[i]);
        }
        if (job->change.best_effort && job->settings.keeps_parts)
                extent_list_clear(&job->prior);
        return all;
}

void job_recover(struct job *job, struct worker *worker, const struct inventory *inventory) {
        job->worker = worker;
        if (job->n_removals > 0)
                job_recover_removals(job, inventory);
        else if (keep_what_went(job, inventory))
                job_finish_later(job);
        else
                job_roll_back(job, job_everything);
}

void job_retry(struct job *job, struct worker *worker) {
        job->worker = worker;
        job->has_ended = false;
        job->result = JOB_RESULT_NONE;
        job->prior = job->owed;
        job->owed = (struct extent_list){ 0 };
        job_roll_back(job, job_everything);
}

bool job_forgive(struct job *job, const struct span_list *blocks) {
        size_t n_before = job->owed.n;
        bool any = false;

        for (size_t i = 0; i < blocks->n && n_before > 0; i++) {
                for (size_t j = 0; j < job->owed.n; j++)
                        any = any || span_intersect(extent_span(&job->owed.items[j]), blocks->items[i]).n_blocks > 0;
                if (extent_list_remove(&job->owed, blocks->items[i]) < 0)
                        (void)log_oom();
        }
        for (size_t i = 0; i < blocks->n; i++)
                for (size_t j = 0; j < job->n_removals; j++) {
                        struct span_list *left = &job->removals[j].left;

                        if (!job->removals[j].is_asked || !span_list_overlaps(left, blocks->items[i]))
                                continue;
                        any = true;
                        if (span_list_remove(left, blocks->items[i]) < 0)
                                (void)log_oom();
                }
        return any;
}
