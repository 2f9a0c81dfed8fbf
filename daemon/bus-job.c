/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bus-objects.h"
#include "cleanup.h"
#include "polkit.h"

char *job_path(uint64_t id) {
        return format_string(BUS_PATH_JOB "/%" PRIu64, id);
}

static struct job *job_at(const struct service *service, const char *path) {
        const char *prefix = BUS_PATH_JOB "/";
        uint64_t id;

        if (strncmp(path, prefix, strlen(prefix)) != 0 || parse_prefixed_number(path, prefix, &id) < 0)
                return NULL;
        return manager_find_job(service->manager, id);
}

int job_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *error) {
        (void)bus, (void)interface, (void)error;
        if (!job_at(userdata, path))
                return 0;
        *ret = userdata;
        return 1;
}

int job_enumerate(sd_bus *bus, const char *path, void *userdata, char ***ret, sd_bus_error *error) {
        const struct service *service = userdata;
        struct job *const *jobs;
        size_t n;
        char **paths;

        (void)bus, (void)path, (void)error;
        jobs = manager_jobs(service->manager, &n);
        paths = calloc(n + 1, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                paths[i] = job_path(jobs[i]->id);
                if (!paths[i]) {
                        while (i-- > 0)
                                free(paths[i]);
                        free(paths);
                        return -ENOMEM;
                }
        }
        *ret = paths;
        return 1;
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        const struct job *job = job_at(userdata, path);

        (void)bus, (void)interface, (void)error;
        if (!job)
                return -ENOENT;
        if (strcmp(property, "Progress") == 0)
                return sd_bus_message_append(reply, "d", job_progress(job));
        if (strcmp(property, "StartedByUID") == 0)
                return sd_bus_message_append(reply, "u", (uint32_t)job->change.uid);
        if (strcmp(property, "Id") == 0)
                return sd_bus_message_append(reply, "t", job->id);
        if (strcmp(property, "BytesTotal") == 0)
                return sd_bus_message_append(reply, "t", job_bytes_total(job));
        return sd_bus_message_append(reply, "t", job_bytes_done(job));
}

static int get_word(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        const struct job *job = job_at(userdata, path);
        const char *word;

        (void)bus, (void)interface, (void)error;
        if (!job)
                return -ENOENT;
        if (strcmp(property, "Verb") == 0)
                word = verb_to_string(job->change.verb);
        else if (strcmp(property, "State") == 0)
                word = job_state_to_string(job->state);
        else if (strcmp(property, "Result") == 0)
                word = job_result_to_string(job->result);
        else
                word = job->change.request_id ? job->change.request_id : "";
        return sd_bus_message_append(reply, "s", word);
}

static int get_selectors(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const struct job *job = job_at(userdata, path);

        (void)bus, (void)interface, (void)property, (void)error;
        return job ? sd_bus_message_append_strv(reply, job->change.selectors) : -ENOENT;
}

static int method_get_results(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct job *job = job_at(userdata, sd_bus_message_get_path(message));
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        (void)error;
        if (!job)
                return -ENOENT;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(ttsis)");
        if (r < 0)
                return r;
        for (size_t i = 0; i < job->results.n && i < EXTENTS_PER_REPLY_MAX; i++) {
                const struct result_run *run = &job->results.items[i];

                r = sd_bus_message_append(reply, "(ttsis)", run->span.first_block * job->settings.block_size_bytes,
                                          run->span.n_blocks * job->settings.block_size_bytes,
                                          block_outcome_to_string(run->outcome), run->error,
                                          block_error_meaning(run->error));
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

struct cancellation {
        struct service *service;
        uint64_t job_id;
};

static void cancel_allowed(sd_bus_message *call, void *userdata) {
        const struct cancellation *cancellation = userdata;
        /* It may have gone while somebody typed a password; then there is nothing left to cancel. */
        struct job *job = manager_find_job(cancellation->service->manager, cancellation->job_id);

        if (job)
                job_cancel(job);
        (void)sd_bus_reply_method_return(call, NULL);
}

static bool is_own(sd_bus_message *message, const struct job *job) {
        sd_bus_creds *creds = NULL;
        uid_t uid;
        bool own;

        if (sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds) < 0)
                return false;
        own = sd_bus_creds_get_euid(creds, &uid) >= 0 && uid == job->change.uid;
        sd_bus_creds_unref(creds);
        return own;
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;
        struct job *job = job_at(service, sd_bus_message_get_path(message));
        struct cancellation *cancellation;
        const char *actions[] = { NULL, NULL };
        _cleanup_free_ char *action = NULL, *blocks = NULL;

        if (!job)
                return -ENOENT;
        if (is_own(message, job)) {
                job_cancel(job);
                return sd_bus_reply_method_return(message, NULL);
        }
        action = format_string("org.memctl1.%s", verb_to_string(job->change.verb));
        blocks = format_span_list(&job->blocks);
        cancellation = malloc(sizeof(*cancellation));
        if (!action || !blocks || !cancellation) {
                free(cancellation);
                return -ENOMEM;
        }
        *cancellation = (struct cancellation){ service, job->id };
        actions[0] = action;
        return polkit_ask(message, &(struct polkit_question){ .actions = actions, .verb = "cancel", .blocks = blocks },
                          cancel_allowed, cancellation, free, error);
}

const sd_bus_vtable job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Verb", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Result", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RequestId", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Selectors", "as", get_selectors, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Progress", "d", get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BytesTotal", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BytesDone", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("StartedByUID", "u", get_number, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD_WITH_ARGS("GetResults", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ttsis)", results), method_get_results,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
