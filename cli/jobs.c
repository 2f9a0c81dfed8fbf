/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "agent.h"
#include "client.h"
#include "exit-status.h"
#include "job.h"
#include "output.h"
#include "string-list.h"
#include "util.h"
#include "verbs.h"

enum {
        COL_JOB,
        COL_VERB,
        COL_SELECTORS,
        COL_STATE,
        COL_RESULT,
        COL_SIZE,
        COL_DONE,
        COL_UID,
        N_COLUMNS,
};

const struct column job_columns[N_COLUMNS + 1] = {
        [COL_JOB] = { "JOB", true },   [COL_VERB] = { "VERB" },     [COL_SELECTORS] = { "SELECTORS" },
        [COL_STATE] = { "STATE" },     [COL_RESULT] = { "RESULT" }, [COL_SIZE] = { "SIZE", true },
        [COL_DONE] = { "DONE", true }, [COL_UID] = { "UID", true },
};

static bool is_over(const struct job *job) {
        return *job->result;
}

static int print_job(struct table *table, const struct job *job) {
        char *selectors = strings_join(job->selectors);

        if (!selectors)
                return -ENOMEM;

        table_add_row(table);
        table_set_number(table, COL_JOB, (int64_t)job->id);
        table_set_text(table, COL_VERB, job->verb);
        table_set_text(table, COL_SELECTORS, selectors);
        free(selectors);
        table_set_text(table, COL_STATE, job->state);
        table_set_text(table, COL_RESULT, job->result);
        table_set_bytes(table, COL_SIZE, job->bytes_total);
        table_set_bytes(table, COL_DONE, job->bytes_done);
        table_set_number(table, COL_UID, job->started_by_uid);
        return 0;
}

static int print_jobs(const struct options *options, const struct job_list *jobs, struct table *table) {
        json_object *document;
        int r = 0;

        for (size_t i = 0; i < jobs->n && r == 0; i++)
                r = print_job(table, jobs->items + i);
        if (r < 0)
                return r;

        if (options->format != FORMAT_JSON) {
                if (jobs->n == 0 && options->format == FORMAT_TABLE)
                        fputs("memctl: there are no jobs\n", stderr);
                return table_print(table);
        }

        document = document_new("memctl.jobs", 1);
        r = document ? document_add_table(document, "jobs", table) : -ENOMEM;
        if (r == 0)
                return document_print(document, false);
        json_object_put(document);
        return r;
}

int verb_jobs(const struct options *options, char **words, size_t n_words) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct client *client = NULL;
        struct table *table = NULL;
        struct job_list jobs = { 0 };
        int r, status = STATUS_DONE;

        (void)words;
        (void)n_words;
        r = table_new(options, job_columns, "JOB,VERB,SELECTORS,STATE,RESULT,SIZE,DONE", &table);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : out_of_memory();

        r = client_open(options, &client, &error);
        if (r >= 0)
                r = job_list_read(client, &jobs, &error);
        if (r < 0)
                status = client_report(r, &error);
        else if (print_jobs(options, &jobs, table) < 0)
                status = out_of_memory();

        sd_bus_error_free(&error);
        job_list_clear(&jobs);
        client_close(client);
        table_free(table);
        return status;
}

/* Finds the named jobs, as indexes; tells which there is not. */
static int find_jobs(const struct job_list *jobs, char **words, size_t n_words, size_t *ret) {
        for (size_t i = 0; i < n_words; i++) {
                uint64_t id;
                size_t j = 0;

                if (parse_u64(words[i], strlen(words[i]), 10, &id) < 0) {
                        fprintf(stderr, "memctl: \"%s\" is no job: write its number, as \"memctl jobs\" prints it\n",
                                words[i]);
                        return STATUS_USAGE;
                }
                while (j < jobs->n && jobs->items[j].id != id)
                        j++;
                if (j == jobs->n) {
                        fprintf(stderr,
                                "memctl: refused: there is no job %s (jobs are forgotten a minute after their end)\n",
                                words[i]);
                        return STATUS_REFUSED;
                }
                ret[i] = j;
        }

        return STATUS_DONE;
}

static int cancel(struct client *client, const struct job *job, sd_bus_error *error) {
        if (!is_over(job))
                return job_cancel(client, job->path, error);

        /* That is success, but nobody is to believe that something goes back. */
        fprintf(stderr, "memctl: job %" PRIu64 " is over: %s\n", job->id, job->result);
        return 0;
}

int verb_cancel(const struct options *options, char **words, size_t n_words) {
        size_t *named = calloc(n_words, sizeof *named);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct client *client = NULL;
        struct job_list jobs = { 0 };
        pid_t agent = 0;
        int r, status;

        if (!named)
                return out_of_memory();

        r = client_open(options, &client, &error);
        if (r >= 0)
                r = job_list_read(client, &jobs, &error);
        status = r < 0 ? STATUS_DONE : find_jobs(&jobs, words, n_words, named);
        if (r >= 0 && status == STATUS_DONE)
                agent = agent_open(options);
        for (size_t i = 0; i < n_words && r >= 0 && status == STATUS_DONE; i++)
                r = cancel(client, jobs.items + named[i], &error);
        if (r < 0)
                status = client_report(r, &error);

        agent_close(agent);
        sd_bus_error_free(&error);
        job_list_clear(&jobs);
        client_close(client);
        free(named);
        return status;
}

/* Jobs that are waited for; the loop ends when the last is over. */
struct waiting {
        const struct options *options;
        struct client *client;
        sd_event *event;
        char **words; /* job numbers; none: every job */
        size_t n_words;
        size_t n_running;
        bool is_settled; /* no event is pending, which might have begun a job */
};

static int count_running(struct waiting *waiting, const struct job_list *jobs) {
        size_t *named;
        int status;

        waiting->n_running = 0;
        if (waiting->n_words == 0) {
                for (size_t i = 0; i < jobs->n; i++)
                        waiting->n_running += !is_over(jobs->items + i);
                return STATUS_DONE;
        }

        named = calloc(waiting->n_words, sizeof *named);
        if (!named)
                return out_of_memory();
        status = find_jobs(jobs, waiting->words, waiting->n_words, named);
        for (size_t i = 0; i < waiting->n_words && status == STATUS_DONE; i++)
                waiting->n_running += !is_over(jobs->items + named[i]);
        free(named);
        return status;
}

/* How the named jobs ended: the worst of them is the exit status, as memctl(1) orders them. */
static int report_named(struct waiting *waiting, const struct job_list *jobs) {
        static const int worst_first[] = { STATUS_ROLLBACK_INCOMPLETE, STATUS_CANCELLED, STATUS_TIMED_OUT,
                                           STATUS_FAILED, STATUS_PARTIAL };
        size_t *named = calloc(waiting->n_words + 1, sizeof *named);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        size_t worst = ARRAY_SIZE(worst_first);
        int r = 0, status;

        if (!named)
                return out_of_memory();
        status = find_jobs(jobs, waiting->words, waiting->n_words, named);
        if (status != STATUS_DONE) {
                free(named);
                return status;
        }

        for (size_t i = 0; i < waiting->n_words && r >= 0; i++) {
                struct job job;
                size_t rank = 0;

                r = job_read(waiting->client, jobs->items[named[i]].path, &job, &error);
                if (r < 0)
                        break;
                status = job_report(waiting->options, &job, waiting->client->block_size_bytes, false);
                while (rank < ARRAY_SIZE(worst_first) && worst_first[rank] != status)
                        rank++;
                worst = MIN(worst, rank);
                job_clear(&job);
        }

        status = r < 0 ? client_report(r, &error) : worst < ARRAY_SIZE(worst_first) ? worst_first[worst] : STATUS_DONE;
        sd_bus_error_free(&error);
        free(named);
        return status;
}

static int look_again(struct waiting *waiting) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct job_list jobs = { 0 };
        int r, status;

        r = job_list_read(waiting->client, &jobs, &error);
        status = r < 0 ? client_report(r, &error) : count_running(waiting, &jobs);
        sd_bus_error_free(&error);

        if (status == STATUS_DONE && waiting->n_running > 0) {
                job_list_clear(&jobs);
                return 0;
        }
        if (status == STATUS_DONE)
                status = report_named(waiting, &jobs);

        job_list_clear(&jobs);
        return sd_event_exit(waiting->event, status);
}

static int on_finished(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct waiting *waiting = userdata;

        (void)message;
        (void)error;
        return waiting->is_settled ? look_again(waiting) : 0;
}

static int on_settled(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct waiting *waiting = userdata;
        const sd_bus_error *answer = sd_bus_message_get_error(reply);

        (void)error;
        if (answer)
                return sd_event_exit(waiting->event, client_report(-sd_bus_error_get_errno(answer), answer));

        waiting->is_settled = true;
        return look_again(waiting);
}

static int on_lost(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct waiting *waiting = userdata;

        (void)message;
        (void)error;
        fputs("memctl: memctld went away: how its jobs end is not known\n  see why:  journalctl -u memctld\n", stderr);
        return sd_event_exit(waiting->event, STATUS_UNREACHABLE);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        struct waiting *waiting = userdata;

        (void)source;
        (void)usec;
        if (waiting->is_settled)
                fprintf(stderr, "memctl: %zu job%s not over yet\n", waiting->n_running,
                        waiting->n_running == 1 ? " is" : "s are");
        else
                fputs("memctl: memctld has not yet followed all of the kernel's events\n", stderr);
        return sd_event_exit(waiting->event, STATUS_TIMED_OUT);
}

static int run_wait(struct waiting *waiting) {
        sd_bus *bus = waiting->client->bus;
        int r;

        r = sd_event_new(&waiting->event);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, "JobFinished",
                                        on_finished, waiting);
        if (r >= 0)
                r = client_watch_loss(waiting->client, on_lost, waiting);
        if (r >= 0 && waiting->options->timeout_usec)
                r = sd_event_add_time_relative(waiting->event, NULL, CLOCK_MONOTONIC, waiting->options->timeout_usec, 0,
                                               on_timeout, waiting);
        if (r >= 0)
                r = sd_bus_attach_event(bus, waiting->event, SD_EVENT_PRIORITY_NORMAL);
        waiting->is_settled = waiting->n_words > 0;
        if (r >= 0)
                r = waiting->is_settled ? look_again(waiting) : client_settle(waiting->client, on_settled, waiting);
        if (r >= 0)
                r = sd_event_loop(waiting->event);

        return r;
}

int verb_wait(const struct options *options, char **words, size_t n_words) {
        struct waiting waiting = { .options = options, .words = words, .n_words = n_words };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r, status;

        r = client_open(options, &waiting.client, &error);
        if (r >= 0)
                r = run_wait(&waiting);
        status = r < 0 ? client_report(r, &error) : r;

        sd_bus_error_free(&error);
        client_close(waiting.client);
        sd_event_unref(waiting.event);
        return status;
}
