/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan, Online, Offline, Remove: plan → authorise → plan again and queue → reply. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "change-plan.h"
#include "cleanup.h"
#include "log.h"
#include "messages.h"
#include "polkit.h"

static int read_change(sd_bus_message *message, enum verb verb, struct change *change, sd_bus_error *error) {
        int r;

        change->verb = verb;
        change->timeout_usec = USEC_INFINITY;
        r = read_selectors(message, &change->selectors, error);
        if (r < 0)
                return r;
        return read_change_options(message, change, error);
}

static int refusal_to_error(const struct plan *plan, sd_bus_error *error) {
        _cleanup_free_ char *text = plan_refusal_text(plan);

        if (!text)
                return -ENOMEM;
        return sd_bus_error_set(error, plan_refused_only_splits(plan) ? BUS_ERROR_SPLITS_MAPPING : BUS_ERROR_REFUSED,
                                text);
}

static void cleanup_plan(struct plan **plan) {
        plan_free(*plan);
}

static int append_steps(sd_bus_message *reply, const struct plan *plan, uint64_t block_size_bytes) {
        int r = sd_bus_message_open_container(reply, 'a', "(tts)");

        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++)
                r = sd_bus_message_append(reply, "(tts)", plan->steps[i].span.first_block * block_size_bytes,
                                          plan->steps[i].span.n_blocks * block_size_bytes,
                                          step_state_word(&plan->steps[i]));
        for (size_t i = 0; r >= 0 && i < plan->n_removals; i++)
                r = sd_bus_message_append(reply, "(tts)", plan->removals[i].span.first_block * block_size_bytes,
                                          plan->removals[i].span.n_blocks * block_size_bytes, "removed");
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_refusal(sd_bus_message *reply, const struct refusal *refusal, uint64_t block_size_bytes) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "ttssas");
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "ttss", refusal->span.first_block * block_size_bytes,
                                  refusal->span.n_blocks * block_size_bytes, refusal_reason_to_string(refusal->reason),
                                  refusal->text);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "s");
        for (size_t i = 0; r >= 0 && i < refusal->n_suggestions; i++)
                r = sd_bus_message_append(reply, "s", refusal->suggestions[i]);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_refusals(sd_bus_message *reply, const struct plan *plan, uint64_t block_size_bytes) {
        int r = sd_bus_message_open_container(reply, 'a', "(ttssas)");

        for (size_t i = 0; r >= 0 && i < plan->n_refusals; i++)
                r = append_refusal(reply, &plan->refusals[i], block_size_bytes);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_side_effects(sd_bus_message *reply, const struct plan *plan) {
        int r = sd_bus_message_open_container(reply, 'a', "(sts)");

        for (size_t i = 0; r >= 0 && i < plan->n_side_effects; i++)
                r = sd_bus_message_append(reply, "(sts)", side_effect_kind_to_string(plan->side_effects[i].kind),
                                          plan->side_effects[i].amount, plan->side_effects[i].text);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_plan(sd_bus_message *message, const struct service *service, const struct plan *plan) {
        uint64_t block_size_bytes = manager_inventory(service->manager)->block_size_bytes;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", manager_generation(service->manager));
        if (r >= 0)
                r = append_steps(reply, plan, block_size_bytes);
        if (r >= 0)
                r = append_refusals(reply, plan, block_size_bytes);
        if (r >= 0)
                r = append_side_effects(reply, plan);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* Requests that are looked into, or wait for their authorisation, all clients together. */
#define PENDING_MAX 1024

/* A request whose blocks are being looked at again, and then a change that waits for its authorisation. */
struct pending {
        struct pending *next; /* of the service's, while its blocks are being looked at */
        struct service *service;
        sd_bus_message *call;
        struct change change;
        bool only_plan;
};

static void free_pending(void *userdata) {
        struct pending *pending = userdata;

        for (struct pending **link = &pending->service->pending; *link; link = &(*link)->next)
                if (*link == pending) {
                        *link = pending->next;
                        pending->service->n_pending--;
                        break;
                }
        manager_sync_cancel(pending->service->manager, pending);
        change_clear(&pending->change);
        sd_bus_message_unref(pending->call);
        free(pending);
}

void forget_pending(struct service *service) {
        while (service->pending)
                free_pending(service->pending);
}

static void log_accepted(const struct job *job) {
        _cleanup_free_ char *blocks = format_span_list(&job->blocks);
        _cleanup_free_ char *message = NULL, *id = NULL, *uid = NULL, *pid = NULL;

        message = format_string("Job %" PRIu64 ": %s %s, asked for by uid %u, pid %d", job->id,
                                verb_to_string(job->change.verb), blocks && blocks[0] ? blocks : "nothing",
                                job->change.uid, job->change.pid);
        id = format_string("MEMCTL_JOB=%" PRIu64, job->id);
        uid = format_string("MEMCTL_UID=%u", job->change.uid);
        pid = format_string("MEMCTL_PID=%d", job->change.pid);
        if (message && id && uid && pid)
                log_fields(LOG_INFO, message, (char *const[]){ (char *)MESSAGE_JOB_ACCEPTED, id, uid, pid }, 4);
}

static int reply_job(sd_bus_message *call, const struct job *job) {
        _cleanup_free_ char *path = job_path(job->id);

        return path ? sd_bus_reply_method_return(call, "to", job->id, path) : -ENOMEM;
}

static int submit(sd_bus_message *call, struct pending *pending, sd_bus_error *error) {
        struct service *service = pending->service;
        _cleanup_(cleanup_plan) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL;
        bool follow = pending->change.cancel_on_disconnect;
        struct job *job;
        int r;

        r = manager_submit(service->manager, &pending->change, &job, &plan, &text);
        if (r == CHANGE_REFUSED)
                return refusal_to_error(plan, error);
        if (r != CHANGE_PLANNED)
                return answer_to_error(r, text, error);
        log_accepted(job);
        if (follow && follow_caller(service, call, job) < 0)
                job_cancel(job);
        return reply_job(call, job);
}

static void on_allowed(sd_bus_message *call, void *userdata) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = submit(call, userdata, &error);

        if (r < 0)
                (void)sd_bus_reply_method_errno(call, r, &error);
}

/* Takes over `pending`. */
static int ask(struct pending *pending, const struct plan *plan, sd_bus_error *error) {
        const char *actions[4] = { 0 };
        struct span_list blocks = { 0 };
        _cleanup_free_ char *names = NULL, *action = NULL;
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                (void)span_list_add(&blocks, plan->steps[i].span);
        for (size_t i = 0; i < plan->n_removals; i++)
                (void)span_list_add(&blocks, plan->removals[i].span);
        names = format_span_list(&blocks);
        span_list_clear(&blocks);
        action = format_string("org.memctl1.%s", verb_to_string(pending->change.verb));
        if (!names || !action) {
                free_pending(pending);
                return -ENOMEM;
        }
        actions[n++] = action;
        if (change_plan_leaves_parts(plan))
                actions[n++] = "org.memctl1.offline-partial";
        else
                pending->change.no_parts = true;
        if (pending->change.ignore_inhibitors)
                actions[n++] = "org.memctl1.override-inhibit";
        return polkit_ask(pending->call,
                          &(struct polkit_question){
                                  .actions = actions,
                                  .verb = verb_to_string(pending->change.verb),
                                  .blocks = names,
                          },
                          on_allowed, pending, free_pending, error);
}

/* Takes over `pending`. */
static int go_on(struct pending *pending, sd_bus_error *error) {
        struct service *service = pending->service;
        _cleanup_(cleanup_plan) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = manager_plan(service->manager, &pending->change, &plan, &text);
        if (r == CHANGE_PLANNED && !pending->only_plan && !manager_is_refused(&pending->change, plan))
                return ask(pending, plan, error);
        if (r != CHANGE_PLANNED)
                r = answer_to_error(r, text, error);
        else if (pending->only_plan)
                r = reply_plan(pending->call, service, plan);
        else
                /* Nobody types a password for what would be refused anyway. */
                r = refusal_to_error(plan, error);
        free_pending(pending);
        return r;
}

static void on_synced(int sync_error, void *userdata) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        struct pending *pending = userdata;
        _cleanup_bus_message_ sd_bus_message *call = sd_bus_message_ref(pending->call);
        int r;

        /* Where the reader hangs, what is known has to do: the job looks at each block before it writes. */
        (void)sync_error;
        r = go_on(pending, &error);
        if (r < 0)
                (void)sd_bus_reply_method_errno(call, r, &error);
}

/* Reads the arguments of a call whose verb is known, and has its blocks looked at. */
static int start_pending(sd_bus_message *message, struct service *service, enum verb verb, bool only_plan,
                         sd_bus_error *error) {
        struct pending *pending;
        const struct job *known;
        int r;

        if (service->n_pending >= PENDING_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_LIMITS_EXCEEDED,
                                         "%u requests are being worked on already; try again later",
                                         service->n_pending);
        pending = calloc(1, sizeof(*pending));
        if (!pending)
                return -ENOMEM;
        *pending = (struct pending){
                .next = service->pending,
                .service = service,
                .call = sd_bus_message_ref(message),
                .only_plan = only_plan,
        };
        service->pending = pending;
        service->n_pending++;
        r = read_change(message, verb, &pending->change, error);
        if (r >= 0 && !only_plan)
                r = read_sender(message, &pending->change.uid, &pending->change.pid);
        known = r >= 0 && !only_plan ? manager_find_request(service->manager, &pending->change) : NULL;
        if (known)
                r = reply_job(message, known);
        else if (r >= 0)
                r = manager_sync(service->manager, &pending->change, on_synced, pending);
        if (r < 0 || known) {
                free_pending(pending);
                return r;
        }
        return 1;
}

int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *word;
        enum verb verb;
        int r;

        r = sd_bus_message_read(message, "s", &word);
        if (r < 0)
                return r;
        if (verb_from_string(word, &verb) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION,
                                         "%s is no verb; there are online, offline and remove", word);
        return start_pending(message, userdata, verb, true, error);
}

int method_online(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_pending(message, userdata, VERB_ONLINE, false, error);
}

int method_offline(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_pending(message, userdata, VERB_OFFLINE, false, error);
}

int method_remove(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_pending(message, userdata, VERB_REMOVE, false, error);
}
