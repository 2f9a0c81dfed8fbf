/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job as a transaction: forward, and the way back. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "job-fixture.h"
#include "test.h"

static void all_goes_well(void **state) {
        struct fixture *fixture = *state;

        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "done");
        assert_machine(fixture, "--------MMMMMMMM");
        assert_results(fixture, "40-47 done");
        assert_true(fixture->job->bytes_done == 8 * BLOCK_SIZE);
        assert_true(fixture->job->bytes_total == 8 * BLOCK_SIZE);
}

static void what_is_so_already_is_done(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST + 1, 2, "offline", "Movable");
        set_fault(fixture, FIRST + 1, "offline", "5");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "done");
        assert_machine(fixture, "----MMMMMMMMMMMM");
        assert_results(fixture, "40 done; 41-42 already; 43 done");
}

static void nothing_to_do_is_done(void **state) {
        struct fixture *fixture = *state;

        run(fixture, &(struct wish){ .verb = VERB_OFFLINE });
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_failure_puts_state_and_zone_back(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST + 1, 2, "online", "Normal");
        set_blocks(fixture, FIRST + 3, 1, "offline", "Movable");
        set_fault(fixture, FIRST + 5, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MNN-MMMMMMMMMMMM");
        assert_results(fixture, "40-42 rolled-back; 43 already; 44 rolled-back; 45 failed 16; 46-47 not-tried");
        assert_true(fixture->job->bytes_done == BLOCK_SIZE);
}

static void online_rolls_back_to_offline(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST, N_BLOCKS, "offline", "Movable");
        set_fault(fixture, FIRST + 6, "online_movable", "1");
        run(fixture, &(struct wish){ .verb = VERB_ONLINE, .n_units = 2, .keeps_parts = true });
        assert_result(fixture, "failed");
        assert_machine(fixture, "----------------");
        assert_results(fixture, "40-45 rolled-back; 46 failed 1; 47 not-tried");
}

static void best_effort_keeps_whole_units(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 5, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 3, .best_effort = true });
        assert_result(fixture, "partial");
        assert_machine(fixture, "----MMMM----MMMM");
        assert_results(fixture, "40-43 done; 44 rolled-back; 45 failed 16; 46-47 not-tried; 48-51 done");
}

static void best_effort_keeps_parts_where_it_may(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .best_effort = true, .keeps_parts = true });
        assert_result(fixture, "partial");
        assert_machine(fixture, "-M--MMMMMMMMMMMM");
}

static void best_effort_without_effect_failed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .best_effort = true });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_spare_steps_in(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        set_fault(fixture, FIRST + UNIT * 2 + 1, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2, .n_spares = 2 });
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMM----MMMM----");
}

static void without_spares_left_all_goes_back(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + UNIT + 1, "offline", "16");
        set_fault(fixture, FIRST + UNIT * 2 + 3, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2, .n_spares = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_spare_of_another_size_is_no_spare(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .n_spares = 2 });
        fixture->job->spares[0].step.span.n_blocks--;
        run_job(fixture);
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMMMMMM----MMMM");
}

static void a_hang_times_out(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "hang");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .block_timeout_usec = 400 * USEC_PER_MSEC });
        assert_result(fixture, "timed-out");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 rolled-back; 42 failed 110; 43 not-tried");
        assert_int_equal(fixture->n_stuck, 0);
}

static void the_whole_forward_phase_times_out(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "hang-hard");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .timeout_usec = 100 * USEC_PER_MSEC });
        assert_result(fixture, "timed-out");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void best_effort_keeps_what_went_before_the_timeout(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 6, "offline", "hang");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE,
                                     .n_units = 3,
                                     .best_effort = true,
                                     .block_timeout_usec = 400 * USEC_PER_MSEC });
        assert_result(fixture, "partial");
        assert_machine(fixture, "----MMMMMMMMMMMM");
}

static void cancelled_while_it_runs(void **state) {
        struct fixture *fixture = *state;

        fixture->cancel_when_running = true;
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "cancelled");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void cancelled_before_it_runs(void **state) {
        struct fixture *fixture = *state;

        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        job_cancel(fixture->job);
        job_cancel(fixture->job);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "cancelled");
        assert_results(fixture, "40-43 not-tried");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void rejected_before_it_runs(void **state) {
        struct fixture *fixture = *state;

        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        job_reject(fixture->job, ESTALE);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "failed");
        assert_results(fixture, "40-43 not-tried 116");
}

static void a_process_that_dies_is_a_failure(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "die");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 rolled-back; 42 failed 10; 43 not-tried");
}

static void a_write_whose_process_died_is_put_back_too(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "die-after");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_death_in_the_rollback_is_overcome(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "once die");
        set_fault(fixture, FIRST + 2, "online_movable", "once die-after");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void what_cannot_go_back_is_owed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "12");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "rollback-incomplete");
        assert_machine(fixture, "M-MMMMMMMMMMMMMM");
        assert_results(fixture, "40 rolled-back; 41 owed 12; 42 rolled-back; 43 failed 16");
        assert_int_equal(fixture->job->owed.n, 1);
        assert_int_equal(fixture->job->owed.items[0].first_block, FIRST + 1);
        assert_int_equal(fixture->job->owed.items[0].zone, ZONE_MOVABLE);
}

static void a_wrong_zone_is_put_right(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "once wrong-zone");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_zone_that_cannot_be_had_is_owed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "wrong-zone");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "rollback-incomplete");
        assert_int_equal(fixture->job->owed.n, 1);
        assert_int_equal(fixture->job->owed.items[0].first_block, FIRST + 1);
}

static void a_rollback_that_hangs_ends(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "hang-hard");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .rollback_timeout_usec = USEC_PER_SEC });
        assert_result(fixture, "rollback-incomplete");
        assert_machine(fixture, "--MMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 owed 110; 42 rolled-back; 43 failed 16");
}

static int run_all(void) {
        const struct CMUnitTest tests[] = {
                test_with_machine(all_goes_well),
                test_with_machine(what_is_so_already_is_done),
                test_with_machine(nothing_to_do_is_done),
                test_with_machine(a_failure_puts_state_and_zone_back),
                test_with_machine(online_rolls_back_to_offline),
                test_with_machine(best_effort_keeps_whole_units),
                test_with_machine(best_effort_keeps_parts_where_it_may),
                test_with_machine(best_effort_without_effect_failed),
                test_with_machine(a_spare_steps_in),
                test_with_machine(without_spares_left_all_goes_back),
                test_with_machine(a_spare_of_another_size_is_no_spare),
                test_with_machine(a_hang_times_out),
                test_with_machine(the_whole_forward_phase_times_out),
                test_with_machine(best_effort_keeps_what_went_before_the_timeout),
                test_with_machine(cancelled_while_it_runs),
                test_with_machine(cancelled_before_it_runs),
                test_with_machine(rejected_before_it_runs),
                test_with_machine(a_process_that_dies_is_a_failure),
                test_with_machine(a_write_whose_process_died_is_put_back_too),
                test_with_machine(a_death_in_the_rollback_is_overcome),
                test_with_machine(what_cannot_go_back_is_owed),
                test_with_machine(a_wrong_zone_is_put_right),
                test_with_machine(a_zone_that_cannot_be_had_is_owed),
                test_with_machine(a_rollback_that_hangs_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char *argv[]) {
        return job_fixture_main(argc, argv, run_all);
}
