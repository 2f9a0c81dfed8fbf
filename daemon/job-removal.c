/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The last part of a removal: all blocks are offline, and now their drivers are told to let go. Telling one (its
 * trigger) is the commit point: what was told is never put back. That a trigger returned proves nothing, so the job
 * waits until the inventory shows the blocks gone.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "job-parts.h"
#include "log.h"
#include "removal.h"

void job_removals_clear(struct job *job) {
        for (size_t i = 0; i < job->n_removals; i++) {
                free(job->removals[i].device);
                span_list_clear(&job->removals[i].left);
        }
        free(job->removals);
        job->removals = NULL;
        job->n_removals = 0;
}

int job_add_removal(struct job *job, const struct removal *removal, const char *range) {
        struct job_removal *grown = reallocarray(job->removals, job->n_removals + 1, sizeof(*grown));
        struct job_removal added = { .span = removal->span, .driver = removal->driver };
        int r;

        if (!grown)
                return -ENOMEM;
        job->removals = grown;
        snprintf(added.range, sizeof(added.range), "%s", range);
        added.device = removal->device ? strdup(removal->device) : NULL;
        r = removal->device && !added.device ? -ENOMEM : span_list_add(&added.left, removal->span);
        if (r == 0)
                r = span_list_add(&job->blocks, removal->span);
        if (r == 0)
                r = result_list_set(&job->results, removal->span, OUTCOME_NOT_TRIED, 0);
        if (r < 0) {
                free(added.device);
                span_list_clear(&added.left);
                return r;
        }
        grown[job->n_removals++] = added;
        job->bytes_total += removal->span.n_blocks * job->settings.block_size_bytes;
        return 0;
}

bool job_is_committed(const struct job *job) {
        if (job->is_pulling || job->any_gone)
                return true;
        for (size_t i = 0; i < job->n_removals; i++)
                if (job->removals[i].is_asked)
                        return true;
        return false;
}

bool job_awaits_removal(const struct job *job) {
        for (size_t i = 0; i < job->n_removals; i++)
                if (job->removals[i].is_asked && job->removals[i].left.n > 0)
                        return true;
        return false;
}

bool job_may_still_remove(const struct job *job) {
        for (size_t i = 0; i < job->n_removals; i++)
                if (job->removals[i].is_asked && job->removals[i].left.n > 0 &&
                    !removal_is_immediate(job->removals[i].driver))
                        return true;
        return false;
}

bool job_removal_same_device(const struct job_removal *a, const struct job_removal *b) {
        return a == b || (a->driver == b->driver && a->device && b->device && strcmp(a->device, b->device) == 0);
}

static uint64_t count_results(const struct job *job, bool only_done) {
        uint64_t n_blocks = 0;

        for (size_t i = 0; i < job->results.n; i++) {
                const struct result_run *run = &job->results.items[i];

                if (!only_done || run->outcome == OUTCOME_DONE || run->outcome == OUTCOME_ALREADY)
                        n_blocks += run->span.n_blocks;
        }
        return n_blocks;
}

uint64_t job_bytes_total(const struct job *job) {
        if (job->change.verb != VERB_REMOVE)
                return job->bytes_total;
        return count_results(job, false) * job->settings.block_size_bytes;
}

uint64_t job_bytes_done(const struct job *job) {
        uint64_t n_blocks;

        if (job->change.verb != VERB_REMOVE)
                return job->bytes_done;
        n_blocks = count_results(job, job->state == JOB_FINISHED);
        if (job->state != JOB_FINISHED)
                n_blocks = (uint64_t)(job_progress(job) * (double)n_blocks);
        return n_blocks * job->settings.block_size_bytes;
}

static void forget_prior(struct job *job, struct span span) {
        if (extent_list_remove(&job->prior, span) < 0)
                (void)log_oom();
}

static uint64_t count_done(const struct job *job, struct span span) {
        uint64_t n_blocks = 0;

        for (size_t i = 0; i < job->results.n; i++)
                if (job->results.items[i].outcome == OUTCOME_DONE || job->results.items[i].outcome == OUTCOME_ALREADY)
                        n_blocks += span_intersect(job->results.items[i].span, span).n_blocks;
        return n_blocks;
}

/* What is left of it says why; that it went offline no longer counts. */
static void note_left(struct job *job, const struct job_removal *removal, enum block_outcome outcome, int error) {
        for (size_t i = 0; i < removal->left.n; i++) {
                uint64_t bytes = count_done(job, removal->left.items[i]) * job->settings.block_size_bytes;

                job->bytes_done -= MIN(job->bytes_done, bytes);
                job_note(job, removal->left.items[i], outcome, error);
        }
}

/* Whether a block is gone: no such block, or one of another range, whose number the kernel never used before. */
static bool is_gone(const struct job_removal *removal, const struct inventory *inventory, uint64_t block) {
        const struct range *range;
        char name[RANGE_NAME_MAX];

        if (!extent_list_find(&inventory->extents, block))
                return true;
        range = inventory_range_of(inventory, block);
        return removal_takes_device(removal->driver) && strncmp(removal->range, "range", strlen("range")) == 0 &&
               range && range->exported && strcmp(range_name(range, name), removal->range) != 0;
}

static void note_gone(struct job *job, struct job_removal *removal, uint64_t block) {
        struct span span = { block, 1 };

        if (span_list_remove(&removal->left, span) < 0) {
                (void)log_oom();
                return;
        }
        job->any_gone = true;
        forget_prior(job, span);
        job_note(job, span, OUTCOME_DONE, 0);
        job->bytes_done += job->settings.block_size_bytes;
}

/*
 * The range itself counts, too, where the kernel has one and all of it is to go. Returns whether anything is gone that
 * was not before.
 */
static bool take_gone(struct job *job, struct job_removal *removal, const struct inventory *inventory) {
        bool any = false;

        if (removal_takes_device(removal->driver) && inventory_find_range(inventory, removal->range) &&
            inventory_find_range(inventory, removal->range)->exported)
                return false;
        for (size_t i = removal->left.n; i-- > 0;) {
                struct span span = removal->left.items[i];

                for (uint64_t block = span.first_block; block < span_end(&span); block++)
                        if (is_gone(removal, inventory, block)) {
                                note_gone(job, removal, block);
                                any = true;
                        }
        }
        return any;
}

static bool take_all_gone(struct job *job, const struct inventory *inventory) {
        bool any = false;

        for (size_t i = 0; i < job->n_removals; i++)
                if (job->removals[i].is_asked)
                        any = take_gone(job, &job->removals[i], inventory) || any;
        return any;
}

/* With what went back, if anything has to. */
static void end_removals(struct job *job) {
        job->is_removing = false;
        job->total_timer = sd_event_source_disable_unref(job->total_timer);
        job->block_timer = sd_event_source_disable_unref(job->block_timer);
        if (job->prior.n > 0)
                job_roll_back(job, job_everything);
        else
                job_finish_later(job);
}

/* A device whose memory could not go offline as a whole stays; of other ranges the blocks that did not. */
static void leave_out_failed(struct job *job) {
        for (size_t i = 0; i < job->results.n; i++) {
                const struct result_run *run = &job->results.items[i];

                if (run->outcome == OUTCOME_DONE || run->outcome == OUTCOME_ALREADY ||
                    run->outcome == OUTCOME_NOT_TRIED)
                        continue;
                for (size_t j = 0; j < job->n_removals; j++) {
                        if (span_intersect(job->removals[j].span, run->span).n_blocks == 0)
                                continue;
                        if (!removal_takes_device(job->removals[j].driver)) {
                                if (span_list_remove(&job->removals[j].left, run->span) < 0)
                                        job->removals[j].is_left_out = true;
                                continue;
                        }
                        for (size_t k = 0; k < job->n_removals; k++)
                                if (job_removal_same_device(&job->removals[k], &job->removals[j]))
                                        job->removals[k].is_left_out = true;
                }
        }
}

/* What a former process did not tell to go, nobody tells now: it goes back. */
static struct job_removal *next_to_ask(const struct job *job) {
        for (size_t i = 0; i < job->n_removals && !job->recovers; i++) {
                struct job_removal *removal = &job->removals[i];

                if (removal->left.n > 0 && !removal->is_left_out &&
                    (!removal->is_asked || !removal_takes_device(removal->driver)))
                        return removal;
        }
        return NULL;
}

static void removal_failed(struct job *job, const struct job_removal *failed, int error) {
        job->has_failed = true;
        for (size_t i = 0; i < job->n_removals; i++) {
                if (!job_removal_same_device(&job->removals[i], failed))
                        continue;
                job->removals[i].is_asked = false;
                note_left(job, &job->removals[i], OUTCOME_FAILED, error);
                job->removals[i].is_left_out = true;
        }
        if (job->change.best_effort)
                job_remove_next(job);
        else
                end_removals(job);
}

/* It was told and is still there, and neither can be undone. */
static void removals_unproven(struct job *job, int error) {
        job->has_failed = true;
        for (size_t i = 0; i < job->n_removals; i++) {
                const struct job_removal *removal = &job->removals[i];

                if (!removal->is_asked)
                        continue;
                note_left(job, removal, OUTCOME_OWED, error);
                for (size_t j = 0; j < removal->left.n; j++)
                        forget_prior(job, removal->left.items[j]);
        }
        end_removals(job);
}

static struct job_removal *first_awaited(const struct job *job) {
        for (size_t i = 0; i < job->n_removals; i++) {
                struct job_removal *removal = &job->removals[i];

                if (removal->is_asked && removal->left.n > 0 &&
                    (removal_takes_device(removal->driver) || span_list_contains(&removal->left, job->block)))
                        return removal;
        }
        return NULL;
}

/* Whether the dax device still has its driver: then it was never unbound. */
static bool has_driver(const struct job_removal *removal, const struct inventory *inventory) {
        const struct range *range = inventory_range_of(inventory, removal->left.items[0].first_block);

        return range && range->device && strcmp(range->device, removal->device) == 0;
}

/* All has happened that will, and it is still there. */
static void not_gone(struct job *job, struct job_removal *removal, const struct inventory *inventory) {
        if (removal->driver == DRIVER_DAX && !(job->is_unanswered && has_driver(removal, inventory)))
                removals_unproven(job, ENOTRECOVERABLE);
        else
                removal_failed(job, removal, EBUSY);
}

void job_removal_look(struct job *job, const struct inventory *inventory, bool is_fresh) {
        struct job_removal *awaited;

        if (!job->is_removing || job->is_pulling)
                return;
        if (take_all_gone(job, inventory)) {
                job_arm_block_timer(job);
                job->callbacks.changed(job, job->userdata);
        }
        awaited = first_awaited(job);
        if (!awaited)
                job_remove_next(job);
        else if (is_fresh && removal_is_immediate(awaited->driver))
                not_gone(job, awaited, inventory);
        else if (job->removal_timed_out)
                removals_unproven(job, EINPROGRESS);
}

bool job_removal_settle(struct job *job, const struct inventory *inventory) {
        if (!job_awaits_removal(job) || !take_all_gone(job, inventory) || job_awaits_removal(job))
                return false;
        job->has_failed = count_done(job, job_everything) != span_list_count_blocks(&job->blocks);
        return true;
}

void job_removal_timeout(struct job *job) {
        job->removal_timed_out = true;
        if (job->is_pulling)
                worker_abort(job->worker);
        else
                removals_unproven(job, EINPROGRESS);
}

static void on_trigger_reply(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct job *job = userdata;
        struct job_removal *pulled = &job->removals[job->removal_index];

        (void)payload_fd;
        job->is_unanswered = reply->error == -ECHILD || reply->error == -ECANCELED;
        job->is_pulling = false;
        if (job->state == JOB_STUCK)
                job_set_state(job, JOB_RUNNING);
        if (reply->error < 0 && !job->is_unanswered) {
                removal_failed(job, pulled, -reply->error);
                return;
        }
        for (size_t i = 0; i < job->n_removals; i++) {
                if (!job_removal_same_device(&job->removals[i], pulled))
                        continue;
                job->removals[i].is_asked = true;
                /* What is queued may come at any time: nothing of it is put back. */
                if (!removal_is_immediate(pulled->driver))
                        forget_prior(job, job->removals[i].span);
        }
        job->callbacks.look(job, job->userdata);
}

static int send_trigger(struct job *job, const struct job_removal *removal) {
        struct worker_request request = {
                .command = WORKER_TRIGGER,
                .block = job->block,
                .journal = job->id,
                .driver = removal->driver,
        };

        if (removal->device) {
                if (strlen(removal->device) >= sizeof(request.word))
                        return -ENAMETOOLONG;
                snprintf(request.word, sizeof(request.word), "%s", removal->device);
        }
        return worker_send(job->worker, &request, on_trigger_reply, job);
}

void job_remove_next(struct job *job) {
        struct job_removal *removal;
        int r;

        if (!job->is_removing) {
                job->is_removing = true;
                leave_out_failed(job);
        }
        removal = next_to_ask(job);
        if (!removal) {
                end_removals(job);
                return;
        }
        job->removal_index = (size_t)(removal - job->removals);
        job->block = removal->left.items[0].first_block;
        job->is_pulling = true;
        job_arm_block_timer(job);
        r = send_trigger(job, removal);
        if (r < 0)
                on_trigger_reply(&(struct worker_reply){ .error = r }, -1, job);
}

void job_recover_removals(struct job *job, const struct inventory *inventory) {
        for (size_t i = 0; i < job->n_removals; i++) {
                const struct job_removal *removal = &job->removals[i];

                job->has_failed = job->has_failed || !removal->is_asked;
                if (removal->is_asked && !removal_is_immediate(removal->driver))
                        forget_prior(job, removal->span);
        }
        job->is_removing = true;
        job->is_unanswered = true;
        job_arm_block_timer(job);
        job_set_state(job, JOB_RUNNING);
        job_removal_look(job, inventory, true);
}
