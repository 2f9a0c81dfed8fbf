/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit-status.h"
#include "output.h"
#include "selector.h"
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

static const char *ending_text(const char *result) {
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (strcmp(endings[i].result, result) == 0)
                        return endings[i].text;

        return "ended in a way this memctl does not know";
}

void job_clear(struct job *job) {
        for (size_t i = 0; i < job->n_results; i++) {
                free(job->results[i].result);
                free(job->results[i].meaning);
        }
        free(job->results);
        free(job->path);
        free(job->verb);
        free(job->state);
        free(job->result);
        *job = (struct job){ 0 };
}

static int read_number(struct client *client, const char *path, const char *property, char type, void *ret,
                       sd_bus_error *error) {
        return sd_bus_get_property_trivial(client->bus, MEMCTL_BUS_NAME, path, MEMCTL_JOB, property, error, type, ret);
}

static int read_string(struct client *client, const char *path, const char *property, char **ret, sd_bus_error *error) {
        return sd_bus_get_property_string(client->bus, MEMCTL_BUS_NAME, path, MEMCTL_JOB, property, error, ret);
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
        uint32_t uid = 0;
        int r;

        job.path = strdup(path);
        r = job.path ? read_number(client, path, "Id", 't', &job.id, error) : -ENOMEM;
        if (r >= 0)
                r = read_string(client, path, "Verb", &job.verb, error);
        if (r >= 0)
                r = read_string(client, path, "State", &job.state, error);
        if (r >= 0)
                r = read_string(client, path, "Result", &job.result, error);
        if (r >= 0)
                r = read_number(client, path, "BytesTotal", 't', &job.bytes_total, error);
        if (r >= 0)
                r = read_number(client, path, "BytesDone", 't', &job.bytes_done, error);
        if (r >= 0)
                r = read_number(client, path, "StartedByUID", 'u', &uid, error);
        if (r >= 0)
                r = read_results(client, &job, error);
        if (r < 0) {
                job_clear(&job);
                return r;
        }

        job.started_by_uid = uid;
        *ret = job;
        return 0;
}

int job_cancel(struct client *client, const char *path, sd_bus_error *error) {
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, path, MEMCTL_JOB, "Cancel", error, NULL, NULL);
        return r < 0 ? r : 0;
}

static int add_result(json_object *array, const struct job_result *result, uint64_t block_size_bytes) {
        _cleanup_free_ char *blocks = format_blocks(result->span);
        json_object *object = json_object_new_object();
        int r;

        r = blocks ? json_add_address(object, "start", result->span.first_block * block_size_bytes) : -ENOMEM;
        if (r == 0)
                r = json_add_number(object, "size", result->span.n_blocks * block_size_bytes);
        if (r == 0)
                r = json_add_text(object, "blocks", blocks);
        if (r == 0)
                r = json_add_text(object, "result", result->result);
        if (r == 0)
                r = json_add_signed(object, "errno", result->error);
        if (r == 0)
                r = json_add_text(object, "meaning", result->meaning);
        if (r < 0 || json_object_array_add(array, object) < 0) {
                json_object_put(object);
                return -ENOMEM;
        }

        return 0;
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
                r = json_add_text(document, "result", job->result);
        if (r == 0)
                r = json_add_number(document, "exit_status", (uint64_t)job_exit_status(job->result));
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

static int print_result(const struct job_result *result, uint64_t block_size_bytes) {
        _cleanup_free_ char *blocks = format_blocks(result->span);
        FILE *stream = result->error ? stderr : stdout;
        char size[FORMAT_BYTES_MAX];

        if (!blocks)
                return -ENOMEM;

        fprintf(stream, "%s (%s): %s", blocks, format_bytes(result->span.n_blocks * block_size_bytes, size),
                result->result);
        if (result->error) {
                const char *name = strerrorname_np(result->error);

                fprintf(stream, ", %s: %s", name ? name : "error",
                        *result->meaning ? result->meaning : strerror(result->error));
        } else if (*result->meaning)
                fprintf(stream, ": %s", result->meaning);
        fputc('\n', stream);
        return 0;
}

static int report_text(const struct job *job, uint64_t block_size_bytes, bool by_amount) {
        const char *text = ending_text(job->result);
        char size[FORMAT_BYTES_MAX];

        if (text)
                fprintf(stderr, "memctl: %s %s\n", job->verb, text);

        for (size_t i = 0; i < job->n_results; i++)
                /* People who asked for an amount do not care which block was skipped, unless nothing came of it. */
                if (!by_amount || (text && job->results[i].error))
                        if (print_result(job->results + i, block_size_bytes) < 0)
                                return -ENOMEM;

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
