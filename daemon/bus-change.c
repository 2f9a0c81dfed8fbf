/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan, Online, Offline, Remove: plan → authorise → plan again and queue → reply. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "cleanup.h"
#include "log.h"
#include "polkit.h"

#define SELECTORS_MAX 4096

static int read_selectors(sd_bus_message *message, struct change *change, sd_bus_error *error) {
        size_t n = 0;
        int r;

        r = sd_bus_message_read_strv(message, &change->selectors);
        if (r < 0)
                return r;
        /* sd-bus gives no list for an empty one. */
        while (change->selectors && change->selectors[n])
                n++;
        if (n == 0)
                return sd_bus_error_set(
                        error, BUS_ERROR_INVALID_SELECTOR,
                        "no selector: say what is meant, for example memory40-47, range0, node1, all or 4G");
        if (n > SELECTORS_MAX)
                return sd_bus_error_setf(
                        error, BUS_ERROR_LIMITS_EXCEEDED,
                        "%zu selectors are more than the %u of one request; name runs (40-47) or ranges", n,
                        SELECTORS_MAX);
        return 0;
}

static int read_sender(sd_bus_message *message, struct change *change) {
        sd_bus_creds *creds = NULL;
        int r;

        r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID, &creds);
        if (r < 0)
                return r;
        r = sd_bus_creds_get_euid(creds, &change->uid);
        /* Of a client in another pid namespace there is none. */
        if (sd_bus_creds_get_pid(creds, &change->pid) < 0)
                change->pid = 0;
        sd_bus_creds_unref(creds);
        return r;
}

static int read_change(sd_bus_message *message, enum verb verb, struct change *change, sd_bus_error *error) {
        int r;

        change->verb = verb;
        change->timeout_usec = USEC_INFINITY;
        r = read_selectors(message, change, error);
        if (r < 0)
                return r;
        return read_change_options(message, change, error);
}

/* Turns a bad answer of the manager into an error. `text` may be NULL. */
static int answer_to_error(int answer, const char *text, sd_bus_error *error) {
        switch (answer) {
        case MANAGER_INVALID_SELECTOR:
                return sd_bus_error_set(error, BUS_ERROR_INVALID_SELECTOR, text);
        case MANAGER_INVALID_OPTION:
                return sd_bus_error_set(error, BUS_ERROR_INVALID_OPTION, text);
        case MANAGER_LIMIT:
                return sd_bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
                                        "this user has too many unfinished jobs; wait for some to end");
        case -ESHUTDOWN:
                return sd_bus_error_set(error, BUS_ERROR_REFUSED, "memctld is being stopped; try again");
        default:
                return answer;
        }
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

int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;
        _cleanup_(change_clear) struct change change = { 0 };
        _cleanup_(cleanup_plan) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL;
        const char *word;
        enum verb verb;
        int r;

        r = sd_bus_message_read(message, "s", &word);
        if (r < 0)
                return r;
        if (verb_from_string(word, &verb) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION,
                                         "%s is no verb; there are online, offline and remove", word);
        r = read_change(message, verb, &change, error);
        if (r < 0)
                return r;
        r = manager_plan(service->manager, &change, &plan, &text);
        if (r != MANAGER_PLANNED)
                return answer_to_error(r, text, error);
        return reply_plan(message, service, plan);
}

/* A change that waits for its authorisation. */
struct pending {
        struct service *service;
        struct change change;
};

static void free_pending(void *userdata) {
        struct pending *pending = userdata;

        change_clear(&pending->change);
        free(pending);
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
                log_fields(LOG_INFO, message, (char *const[]){ id, uid, pid }, 3);
}

static int submit(sd_bus_message *call, struct pending *pending, sd_bus_error *error) {
        struct service *service = pending->service;
        _cleanup_(cleanup_plan) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL, *path = NULL;
        bool follow = pending->change.cancel_on_disconnect;
        struct job *job;
        int r;

        r = manager_submit(service->manager, &pending->change, &job, &plan, &text);
        if (r == MANAGER_REFUSED)
                return refusal_to_error(plan, error);
        if (r != MANAGER_PLANNED)
                return answer_to_error(r, text, error);
        log_accepted(job);
        path = job_path(job->id);
        if (!path)
                return -ENOMEM;
        if (follow && follow_caller(service, call, job) < 0)
                job_cancel(job);
        return sd_bus_reply_method_return(call, "to", job->id, path);
}

static void on_allowed(sd_bus_message *call, void *userdata) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = submit(call, userdata, &error);

        if (r < 0)
                (void)sd_bus_reply_method_errno(call, r, &error);
}

static bool leaves_parts(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_side_effects; i++)
                if (plan->side_effects[i].kind == SIDE_EFFECT_PARTIAL)
                        return true;
        return false;
}

static int ask(sd_bus_message *message, struct pending *pending, const struct plan *plan, sd_bus_error *error) {
        const char *actions[4] = { 0 };
        struct span_list blocks = { 0 };
        _cleanup_free_ char *names = NULL, *action = NULL;
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                (void)span_list_add(&blocks, plan->steps[i].span);
        names = format_span_list(&blocks);
        span_list_clear(&blocks);
        action = format_string("org.memctl1.%s", verb_to_string(pending->change.verb));
        if (!names || !action) {
                free_pending(pending);
                return -ENOMEM;
        }
        actions[n++] = action;
        if (leaves_parts(plan))
                actions[n++] = "org.memctl1.offline-partial";
        if (pending->change.ignore_inhibitors)
                actions[n++] = "org.memctl1.override-inhibit";
        return polkit_ask(message,
                          &(struct polkit_question){
                                  .actions = actions,
                                  .verb = verb_to_string(pending->change.verb),
                                  .blocks = names,
                          },
                          on_allowed, pending, free_pending, error);
}

static int method_change(sd_bus_message *message, struct service *service, enum verb verb, sd_bus_error *error) {
        _cleanup_(change_clear) struct change change = { 0 };
        _cleanup_(cleanup_plan) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL;
        struct pending *pending;
        int r;

        r = read_change(message, verb, &change, error);
        if (r < 0)
                return r;
        r = read_sender(message, &change);
        if (r < 0)
                return r;
        r = manager_plan(service->manager, &change, &plan, &text);
        if (r != MANAGER_PLANNED)
                return answer_to_error(r, text, error);
        /* Nobody types a password for what would be refused anyway. */
        if (manager_is_refused(&change, plan))
                return refusal_to_error(plan, error);
        pending = malloc(sizeof(*pending));
        if (!pending)
                return -ENOMEM;
        *pending = (struct pending){ service, change };
        change = (struct change){ 0 };
        return ask(message, pending, plan, error);
}

int method_online(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_change(message, userdata, VERB_ONLINE, error);
}

int method_offline(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_change(message, userdata, VERB_OFFLINE, error);
}

int method_remove(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_change(message, userdata, VERB_REMOVE, error);
}
