/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal keeps of a job, the way back to it, and what is no journal. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "job-record.h"
#include "model.h"
#include "runtime.h"
#include "test.h"
#include "util.h"

static sd_event *event;
static struct inventory *inventory;

static void on_job(struct job *job, void *userdata) {
        (void)job;
        (void)userdata;
}

static const struct job_callbacks callbacks = { .changed = on_job, .ended = on_job };

static int set_up(void **state) {
        (void)state;
        inventory = model_server();
        return sd_event_new(&event) < 0;
}

static int tear_down(void **state) {
        (void)state;
        sd_event_unref(event);
        inventory_free(inventory);
        return 0;
}

static struct job_step *make_step(uint64_t first, enum block_state target) {
        struct job_step *steps = calloc(2, sizeof(*steps));

        assert_non_null(steps);
        steps[0] = (struct job_step){
                .step = { .span = { first, 8 }, .target = target, .zone = ONLINE_ZONE_MOVABLE },
                .unit = { first, 8 },
        };
        return steps;
}

/* Offline of memory40-47, with memory48-55 in reserve. */
static struct job *make_job(void) {
        struct change change = { .verb = VERB_OFFLINE, .uid = 1000, .timeout_usec = USEC_INFINITY };
        const struct job_settings settings = { .rollback_timeout_usec = 7,
                                               .block_size_bytes = inventory->block_size_bytes };
        struct job *job;

        change.selectors = calloc(2, sizeof(char *));
        assert_non_null(change.selectors);
        change.selectors[0] = strdup("1G");
        change.request_id = strdup("a \"request\"");
        assert_int_equal(job_new(event, 9, &change, &callbacks, NULL, &job), 0);
        assert_int_equal(job_plan(job, &settings, make_step(40, BLOCK_OFFLINE), 1, make_step(48, BLOCK_OFFLINE), 1), 0);
        return job;
}

/* Two blocks went, of the second nobody saw the end; with `ended` the job knows that it failed. */
static char *make_journal(bool ended) {
        struct job *job = make_job();
        char *begin = job_record_begin(job, inventory), *end = NULL, *text;

        job->result = JOB_RESULT_FAILED;
        assert_int_equal(result_list_set(&job->results, (struct span){ 40, 8 }, OUTCOME_ROLLED_BACK, 0), 0);
        end = job_record_end(job, 12345);
        text = format_string(
                "%s\n"
                "{\"intent\":40,\"state\":\"online\",\"zone\":\"Movable\",\"word\":\"offline\"}\n"
                "{\"result\":40,\"errno\":0}\n"
                "{\"intent\":41,\"state\":\"online\",\"zone\":\"Movable\",\"word\":\"offline\"}\n"
                "%s%s",
                begin, ended ? end : "", ended ? "\n" : "");
        assert_non_null(text);
        free(begin);
        free(end);
        job_free(job);
        return text;
}

static int load(const char *text, struct job **ret, struct job_history *ret_history) {
        return job_record_load(event, text, inventory, &callbacks, NULL, ret, ret_history);
}

static void a_job_comes_back(void **state) {
        char *text = make_journal(false);
        struct job_history history = { 0 };
        struct job *job = NULL;

        assert_int_equal(load(text, &job, &history), 0);
        assert_false(history.has_ended);
        assert_int_equal(job->id, 9);
        assert_int_equal(job->change.verb, VERB_OFFLINE);
        assert_int_equal(job->change.uid, 1000);
        assert_string_equal(job->change.selectors[0], "1G");
        assert_string_equal(job->change.request_id, "a \"request\"");
        assert_int_equal(job->settings.rollback_timeout_usec, 7);
        assert_int_equal(job->n_steps, 1);
        assert_int_equal(job->steps[0].step.span.first_block, 40);
        assert_int_equal(job->n_spares, 1);
        assert_non_null(extent_list_find(&job->prior, 41));
        assert_null(extent_list_find(&job->prior, 42));
        assert_int_equal(result_list_find(&job->results, 40)->outcome, OUTCOME_DONE);
        assert_int_equal(result_list_find(&job->results, 41)->error, ECHILD);
        job_free(job);
        free(text);
        (void)state;
}

static void how_it_ended_comes_back(void **state) {
        char *text = make_journal(true);
        struct job_history history = { 0 };
        struct job *job = NULL;

        assert_int_equal(load(text, &job, &history), 0);
        assert_true(history.has_ended);
        assert_int_equal(history.ended_boottime_usec, 12345);
        assert_int_equal(job->result, JOB_RESULT_FAILED);
        assert_int_equal(result_list_find(&job->results, 47)->outcome, OUTCOME_ROLLED_BACK);
        job_free(job);
        free(text);
        (void)state;
}

static void nothing_is_owed_to_memory_that_is_gone(void **state) {
        char *text = make_journal(false);
        struct job_history history;
        struct job *job = NULL;

        inventory->ranges[0].number = 77;
        assert_int_equal(load(text, &job, &history), 0);
        assert_int_equal(job->n_steps, 0);
        assert_int_equal(job->prior.n, 0);
        job_free(job);
        free(text);
        (void)state;
}

static void another_boot_is_told_apart(void **state) {
        char *text = make_journal(false), *boot = strstr(text, runtime_boot_id());
        struct job_history history;
        struct job *job;

        assert_non_null(boot);
        *boot = *boot == '0' ? '1' : '0';
        assert_int_equal(load(text, &job, &history), -ESTALE);
        free(text);
        (void)state;
}

/* A file that was cut or changed anywhere is a journal or is none, and nothing else happens. */
static void no_journal_does_harm(void **state) {
        static const char others[] = "09-\"{],\n\x7f"; /* and its NUL */
        char *text = make_journal(true);
        size_t length = strlen(text), n_loaded = 0, n_refused = 0;

        for (size_t at = 0; at < length; at++)
                for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                        char kept = text[at];
                        struct job_history history;
                        struct job *job = NULL;
                        int r;

                        text[at] = others[i];
                        r = load(text, &job, &history);
                        text[at] = kept;
                        assert_true(r == 0 || r == -EBADMSG || r == -ESTALE);
                        assert_int_equal(r == 0, job != NULL);
                        n_loaded += r == 0;
                        n_refused += r < 0;
                        job_free(job);
                }
        assert_true(n_loaded > 0 && n_refused > 0);
        free(text);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_job_comes_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(how_it_ended_comes_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(nothing_is_owed_to_memory_that_is_gone, set_up, tear_down),
                cmocka_unit_test_setup_teardown(another_boot_is_told_apart, set_up, tear_down),
                cmocka_unit_test_setup_teardown(no_journal_does_harm, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
