/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal's files: all of a line or nothing of it, in order, and nothing left behind. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "journal.h"
#include "test.h"

#define JOB 7

static char folder[] = "/tmp/test-journal.XXXXXX";

static int set_up(void **state) {
        (void)state;
        /* What would be too large is then cut, as on a full disk. */
        (void)signal(SIGXFSZ, SIG_IGN);
        return !mkdtemp(folder) || setenv("RUNTIME_DIRECTORY", folder, 1) < 0;
}

static int tear_down(void **state) {
        _cleanup_free_ char *jobs = format_string("%s/jobs", folder);

        (void)state;
        return !jobs || rmdir(jobs) < 0 || rmdir(folder) < 0;
}

static char *text_of(uint64_t job_id) {
        _cleanup_close_ int fd = journal_open_locked(job_id);
        char *text = NULL;

        assert_true(fd >= 0);
        assert_int_equal(journal_read(fd, &text), 0);
        return text;
}

static void assert_text(const char *wanted) {
        _cleanup_free_ char *text = text_of(JOB);

        assert_string_equal(text, wanted);
}

static void limit_files(rlim_t bytes) {
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lines_follow_each_other(void **state) {
        int fd;

        (void)state;
        assert_int_equal(journal_create(JOB, "{\"job\":7}", 8), 0);
        fd = journal_open_locked(JOB);
        assert_true(fd >= 0);
        assert_int_equal(journal_write_intent(fd, 44, BLOCK_ONLINE, ZONE_MOVABLE, "offline"), 0);
        assert_int_equal(journal_write_result(fd, 44, 16), 0);
        assert_int_equal(journal_write_trigger(fd, 44), 0);
        assert_int_equal(journal_write_triggered(fd, 44, 0), 0);
        close(fd);
        assert_int_equal(journal_append(JOB, "{\"end\":\"failed\"}"), 0);
        assert_text(
                "{\"job\":7}\n"
                "{\"intent\":44,\"state\":\"online\",\"zone\":\"Movable\",\"word\":\"offline\"}\n"
                "{\"result\":44,\"errno\":16}\n"
                "{\"trigger\":44}\n"
                "{\"triggered\":44,\"errno\":0}\n"
                "{\"end\":\"failed\"}\n");
        journal_remove(JOB);
        assert_int_equal(journal_append(JOB, "{}"), -ENOENT);
        assert_int_equal(journal_open_locked(JOB), -ENOENT);
}

static void it_says_how_far_a_write_has_come(void **state) {
        int fd;

        (void)state;
        assert_int_equal(journal_create(JOB, "{\"job\":7}", 8), 0);
        fd = journal_open_locked(JOB);
        assert_true(fd >= 0);
        assert_int_equal(journal_write_intent(fd, 44, BLOCK_ONLINE, ZONE_MOVABLE, "offline"), 0);
        assert_int_equal(journal_find_write(JOB, 44), JOURNAL_WRITE_BEGUN);
        assert_int_equal(journal_find_write(JOB, 4), JOURNAL_WRITE_NOT_BEGUN);
        assert_int_equal(journal_find_write(JOB, 45), JOURNAL_WRITE_NOT_BEGUN);
        assert_int_equal(journal_write_result(fd, 44, 16), 0);
        assert_int_equal(journal_find_write(JOB, 44), JOURNAL_WRITE_BEGUN);
        assert_int_equal(journal_write_intent(fd, 45, BLOCK_ONLINE, ZONE_MOVABLE, "offline"), 0);
        assert_int_equal(journal_write_result(fd, 45, 0), 0);
        assert_int_equal(journal_find_write(JOB, 45), JOURNAL_WRITE_DONE);
        assert_int_equal(journal_find_write(JOB, 44), JOURNAL_WRITE_BEGUN);
        close(fd);
        journal_remove(JOB);
        assert_int_equal(journal_find_write(JOB, 45), JOURNAL_WRITE_BEGUN);
}

static void a_line_that_does_not_fit_leaves_nothing(void **state) {
        (void)state;
        assert_int_equal(journal_create(JOB, "{\"job\":7}", 1), 0);
        limit_files(strlen("{\"job\":7}\n") + 5);
        assert_int_equal(journal_append(JOB, "{\"intent\":44}"), -ENOSPC);
        assert_text("{\"job\":7}\n");
        limit_files(RLIM_INFINITY);
        assert_int_equal(journal_append(JOB, "{\"intent\":45}"), 0);
        assert_text("{\"job\":7}\n{\"intent\":45}\n");
        journal_remove(JOB);
}

static void what_cannot_be_made_leaves_nothing(void **state) {
        _cleanup_free_ char *temporary = format_string("%s/jobs/%d.journal.new", folder, JOB);
        struct stat st;
        int r;

        (void)state;
        assert_non_null(temporary);
        limit_files(5);
        r = journal_create(JOB, "{\"job\":7}", 1);
        limit_files(RLIM_INFINITY);
        /* tmpfs looks at the limit already where room is set aside. */
        assert_true(r == -ENOSPC || r == -EFBIG);
        assert_int_equal(stat(temporary, &st), -1);
        assert_int_equal(journal_open_locked(JOB), -ENOENT);

        /* Something else is where the file is to be. */
        assert_int_equal(mkdir(temporary, 0700), 0);
        assert_int_equal(journal_create(JOB, "{\"job\":7}", 1), -EISDIR);
        assert_int_equal(rmdir(temporary), 0);
}

static void it_is_for_one_at_a_time(void **state) {
        _cleanup_free_ char *path = format_string("%s/jobs/%d.journal", folder, JOB);
        _cleanup_close_ int other = -1, fd = -1;

        (void)state;
        assert_non_null(path);
        assert_int_equal(journal_create(JOB, "{\"job\":7}", 1), 0);
        fd = journal_open_locked(JOB);
        other = open(path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0 && other >= 0);
        assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
        journal_remove(JOB);
}

static void note(uint64_t job_id, const char *text, void *userdata) {
        char *seen = userdata;

        snprintf(seen + strlen(seen), 64 - strlen(seen), "%" PRIu64 " %s", job_id, text);
}

static void all_are_found_in_order(void **state) {
        _cleanup_free_ char *stray = format_string("%s/jobs/notes", folder);
        _cleanup_close_ int fd = -1;
        char seen[64] = "";

        (void)state;
        assert_non_null(stray);
        fd = open(stray, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(journal_create(10, "{\"job\":10}", 1), 0);
        assert_int_equal(journal_create(9, "{\"job\":9}", 1), 0);
        assert_int_equal(journal_load_all(note, seen), 0);
        assert_string_equal(seen, "9 {\"job\":9}\n10 {\"job\":10}\n");
        journal_remove(9);
        journal_remove(10);
        assert_int_equal(unlink(stray), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_follow_each_other),
                cmocka_unit_test(it_says_how_far_a_write_has_come),
                cmocka_unit_test(a_line_that_does_not_fit_leaves_nothing),
                cmocka_unit_test(what_cannot_be_made_leaves_nothing),
                cmocka_unit_test(it_is_for_one_at_a_time),
                cmocka_unit_test(all_are_found_in_order),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
