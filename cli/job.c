/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client-read.h"
#include "exit-status.h"
#include "output.h"
#include "selector.h"
#include "string-list.h"
#include "util.h"

static const struct {
        const char *result;
        int status;
        const char *text; /* NULL: nothing went wrong */
} endings[] = {
        { "done", STATUS_DONE, NULL },
        { "failed", STATUS_FAILED, "failed, everything is as it was" },
        { "partial", STATUS_PARTIAL, "done in part, as --best-effort allows" },
        { "timed-out", STATUS_TIMED_OUT, "timed out, everything is as it was" },
        { "cancelled", STATUS_CANCELLED, "cancelled, everything is as it was" },
        { "rollback-incomplete", STATUS_ROLLBACK_INCOMPLETE,
          "failed, and not all blocks went back: memctld tries again on the next event" },
};

int job_exit_status(const char *result) {
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (strcmp(endings[i].result, result) == 0)
                        return endings[i].status;

        return STATUS_FAILED;
}

static const char *ending_text(const struct job *job) {
        /* From the moment on at which a driver was told, there is no way back to try. */
        if (strcmp(job->verb, "remove") == 0 && strcmp(job->result, "rollback-incomplete") == 0)
                return "is not complete: not everything below is gone, or as it was";

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (strcmp(endings[i].result, job->result) == 0)
                        return endings[i].text;

        return "ended in a way this memctl does not know";
}

void job_clear(struct job *job) {
        for (size_t i = 0; i < job->n_results; i++) {
                free(job->results[i].result);
                free(job->results[i].meaning);
        }
        free(job->results);
        strings_free(job->selectors);
        free(job->path);
        free(job->verb);
        free(job->state);
        free(job->result);
        *job = (struct job){ 0 };
}

static int read_job_property(sd_bus_message *message, const char *name, void *userdata) {
        struct job *job = userdata;

        if (strcmp(name, "Id") == 0)
                return sd_bus_message_read(message, "t", &job->id);
        if (strcmp(name, "Verb") == 0)
                return client_read_text(message, &job->verb);
        if (strcmp(name, "State") == 0)
                return client_read_text(message, &job->state);
        if (strcmp(name, "Result") == 0)
                return client_read_text(message, &job->result);
        if (strcmp(name, "Selectors") == 0)
                return sd_bus_message_read_strv(message, &job->selectors);
        if (strcmp(name, "BytesTotal") == 0)
                return sd_bus_message_read(message, "t", &job->bytes_total);
        if (strcmp(name, "BytesDone") == 0)
                return sd_bus_message_read(message, "t", &job->bytes_done);
        if (strcmp(name, "StartedByUID") == 0)
                return sd_bus_message_read(message, "u", &job->started_by_uid);

        return sd_bus_message_skip(message, NULL);
}

/* What is printed must be there. */
static int check_properties(const struct job *job) {
        return job->verb && job->state && job->result && job->selectors ? 0 : -EBADMSG;
}

static int read_result(sd_bus_message *message, uint64_t block_size_bytes, struct job *job) {
        struct job_result result = { 0 }, *results;
        uint64_t start, size_bytes;
        const char *word, *meaning;
        int r;

        r = sd_bus_message_read(message, "(ttsis)", &start, &size_bytes, &word, &result.error, &meaning);
        if (r <= 0)
                return r;

        results = reallocarray(job->results, job->n_results + 1, sizeof *results);
        if (!results)
                return -ENOMEM;
        job->results = results;

        result.span = (struct span){ start / block_size_bytes, size_bytes / block_size_bytes };
        result.result = strdup(word);
        result.meaning = strdup(meaning);
        job->results[job->n_results++] = result;
        return result.result && result.meaning ? 1 : -ENOMEM;
}

static int read_results(struct client *client, struct job *job, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, job->path, MEMCTL_JOB, "GetResults", error, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ttsis)");
        while (r >= 0 && (r = read_result(reply, client->block_size_bytes, job)) > 0)
                ;
        sd_bus_message_unref(reply);
        return r;
}

int job_read(struct client *client, const char *path, struct job *ret, sd_bus_error *error) {
        struct job job = { 0 };
        int r;

        job.path = strdup(path);
        r = job.path ? client_read_object(client, path, MEMCTL_JOB, read_job_property, &job, error) : -ENOMEM;
        if (r >= 0)
                r = check_properties(&job);
        if (r >= 0)
                r = read_results(client, &job, error);
        if (r < 0) {
                job_clear(&job);
                return r;
        }

        *ret = job;
        return 0;
}

static int read_listed_job(sd_bus_message *message, const char *path, void *userdata) {
        struct job_list *list = userdata;
        struct job *jobs = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof *jobs);
        struct job *job;
        int r;

        if (!jobs)
                return -ENOMEM;
        list->items = jobs;

        job = jobs + list->n++;
        *job = (struct job){ .path = strdup(path) };
        r = job->path ? client_read_properties(message, read_job_property, job) : -ENOMEM;
        return r < 0 ? r : check_properties(job);
}

static int compare_jobs(const void *a, const void *b) {
        const struct job *x = a, *y = b;

        return x->id < y->id ? -1 : x->id > y->id;
}

int job_list_read(struct client *client, struct job_list *ret, sd_bus_error *error) {
        struct job_list list = { 0 };
        int r;

        r = client_read_objects(client, MEMCTL_JOB, read_listed_job, &list, error);
        if (r < 0) {
                job_list_clear(&list);
                return r;
        }

        if (list.n > 0)
                qsort(list.items, list.n, sizeof *list.items, compare_jobs);
        *ret = list;
        return 0;
}

void job_list_clear(struct job_list *list) {
        for (size_t i = 0; i < list->n; i++)
                job_clear(list->items + i);
        free(list->items);
        *list = (struct job_list){ 0 };
}

int job_cancel(struct client *client, const char *path, sd_bus_error *error) {
        sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &message, MEMCTL_BUS_NAME, path, MEMCTL_JOB, "Cancel");
        /* Someone else's job takes the authorisation that its verb does. */
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, isatty(STDIN_FILENO));
        if (r >= 0)
                r = sd_bus_call(client->bus, message, UINT64_MAX, error, NULL);

        sd_bus_message_unref(message);
        return r < 0 ? r : 0;
}

static int add_result(json_object *array, const struct job_result *result, uint64_t block_size_bytes) {
        json_object *object = json_object_new_object();
        int r;

        r = json_add_span(object, result->span, block_size_bytes);
        if (r == 0)
                r = json_add_text(object, "result", result->result);
        if (r == 0)
                r = json_add_signed(object, "errno", result->error);
        if (r == 0)
                r = json_add_text(object, "meaning", result->meaning);

        return json_append(array, object, r);
}

static json_object *results_to_json(const struct job *job, uint64_t block_size_bytes) {
        json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < job->n_results; i++)
                if (add_result(array, job->results + i, block_size_bytes) < 0) {
                        json_object_put(array);
                        return NULL;
                }

        return array;
}

static int report_json(const struct job *job, uint64_t block_size_bytes) {
        json_object *document = document_new("memctl.result", 1);
        int r;

        r = json_add_text(document, "verb", job->verb);
        if (r == 0)
                r = json_add_number(document, "job", job->id);
        if (r == 0)
                r = json_add_text(document, "result", *job->result ? job->result : NULL);
        if (r == 0)
                r = json_add_number(document, "exit_status",
                                    (uint64_t)(*job->result ? job_exit_status(job->result) : STATUS_DONE));
        if (r == 0)
                r = json_add_number(document, "bytes_total", job->bytes_total);
        if (r == 0)
                r = json_add_number(document, "bytes_done", job->bytes_done);
        if (r == 0)
                r = json_add(document, "results", results_to_json(job, block_size_bytes));
        if (r == 0)
                r = json_add(document, "refusals", json_object_new_array());
        if (r < 0) {
                json_object_put(document);
                return r;
        }

        return document_print(document, false);
}

void job_report_begun(const struct options *options, enum verb verb, uint64_t id) {
        char name[16], no_result[] = "";
        struct job job = { .id = id, .verb = name, .result = no_result };

        if (options->format != FORMAT_JSON) {
                printf("job %" PRIu64 "\n", id);
                return;
        }

        snprintf(name, sizeof name, "%s", verb_to_string(verb));
        if (report_json(&job, 0) < 0)
                out_of_memory();
}

/* "offline" for what is done, else the word memctld has for it. */
static const char *outcome_text(const struct job *job, const struct job_result *result) {
        if (strcmp(result->result, "done") != 0)
                return result->result;

        return strcmp(job->verb, "remove") == 0 ? "removed" : job->verb;
}

static int print_result(const struct job *job, const struct job_result *result, uint64_t block_size_bytes) {
        _cleanup_free_ char *blocks = format_blocks(result->span);
        const char *name = result->error ? strerrorname_np(result->error) : NULL;
        char size[FORMAT_BYTES_MAX];
        FILE *stream = strcmp(result->result, "done") == 0 ? stdout : stderr;

        if (!blocks)
                return -ENOMEM;

        fprintf(stream, "%s (%s): %s", blocks, format_bytes(result->span.n_blocks * block_size_bytes, size),
                outcome_text(job, result));
        if (name)
                fprintf(stream, ", %s", name);
        if (*result->meaning)
                fprintf(stream, ": %s", result->meaning);
        fputc('\n', stream);
        return 0;
}

static int report_text(const struct job *job, uint64_t block_size_bytes, bool by_amount) {
        const char *text = ending_text(job);
        char size[FORMAT_BYTES_MAX];

        if (text)
                fprintf(stderr, "memctl: %s %s\n", job->verb, text);

        for (size_t i = 0; i < job->n_results; i++) {
                bool is_done = strcmp(job->results[i].result, "done") == 0;

                /* People who asked for an amount do not care which block was skipped, unless nothing came of it. */
                if (!by_amount || is_done || (text && job->results[i].error))
                        if (print_result(job, job->results + i, block_size_bytes) < 0)
                                return -ENOMEM;
        }

        if (job->bytes_total == 0 && !text)
                printf("%s: nothing to do\n", job->verb);
        else if (by_amount && (!text || job_exit_status(job->result) == STATUS_PARTIAL))
                printf("%s: %s\n", job->verb, format_bytes(job->bytes_done, size));

        return 0;
}

int job_report(const struct options *options, const struct job *job, uint64_t block_size_bytes, bool by_amount) {
        int r;

        r = options->format == FORMAT_JSON ? report_json(job, block_size_bytes)
                                           : report_text(job, block_size_bytes, by_amount);
        /* What happened to the machine counts for more than what could not be printed. */
        if (r < 0)
                out_of_memory();

        return job_exit_status(job->result);
}
