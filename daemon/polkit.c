/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "polkit.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "bus-errors.h"
#include "cleanup.h"
#include "log.h"

/* org.freedesktop.PolicyKit1.Authority, as polkit's own interface reference documents it. */
#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define FLAG_ALLOW_USER_INTERACTION 1U
/* A person has to read, think and type. */
#define ANSWER_TIMEOUT_USEC (300 * USEC_PER_SEC)
#define QUESTIONS_MAX       256
/* Nobody answers more at once; one user's must not keep the others from asking. */
#define QUESTIONS_PER_USER_MAX 16

struct query {
        struct query *next;
        sd_bus_message *call;
        uid_t uid;
        char **actions;
        size_t n_asked;
        char *verb, *blocks;
        char cancellation_id[32];
        sd_bus_slot *slot;
        sd_bus_track *caller;
        polkit_allowed_fn allowed;
        polkit_free_fn free_userdata;
        void *userdata;
};

static struct query *queries;
static unsigned n_queries;
static uint64_t last_cancellation;

static struct query *query_free(struct query *query) {
        for (struct query **link = &queries; *link; link = &(*link)->next)
                if (*link == query) {
                        *link = query->next;
                        n_queries--;
                        break;
                }
        for (char **action = query->actions; action && *action; action++)
                free(*action);
        free(query->actions);
        free(query->verb);
        free(query->blocks);
        sd_bus_slot_unref(query->slot);
        sd_bus_track_unref(query->caller);
        sd_bus_message_unref(query->call);
        query->free_userdata(query->userdata);
        free(query);
        return NULL;
}

void polkit_forget_all(void) {
        while (queries)
                query_free(queries);
}

static int ask_next(struct query *query);

static void deny(struct query *query, const char *error, const char *text) {
        (void)sd_bus_reply_method_errorf(query->call, error, "%s", text);
        query_free(query);
}

static void deny_action(struct query *query, bool challenge) {
        _cleanup_free_ char *text = NULL;
        const char *action = query->actions[query->n_asked - 1];

        text = challenge ? format_string("this needs an administrator's authorisation (%s)", action)
                         : format_string("polkit does not allow this (%s)", action);
        deny(query, challenge ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED : SD_BUS_ERROR_ACCESS_DENIED,
             text ? text : "not allowed");
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        struct query *query = userdata;
        int authorized, challenge, r;

        (void)ret_error;
        query->slot = sd_bus_slot_unref(query->slot);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                const sd_bus_error *error = sd_bus_message_get_error(reply);

                log_notice("polkit gives no answer (%s): only root may change anything", error->message);
                deny(query, SD_BUS_ERROR_ACCESS_DENIED,
                     "no polkit is running that could allow this, so only root may do it");
                return 0;
        }
        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0) {
                deny(query, SD_BUS_ERROR_ACCESS_DENIED, "polkit's answer cannot be read");
                return 0;
        }
        if (!authorized) {
                deny_action(query, challenge);
                return 0;
        }
        r = ask_next(query);
        if (r < 0)
                deny(query, SD_BUS_ERROR_FAILED, strerror(-r));
        return 0;
}

static int append_question(const struct query *query, sd_bus_message *message, const char *action) {
        int interactive = sd_bus_message_get_allow_interactive_authorization(query->call);
        int r;

        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(query->call), action);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "a{ss}", 2, "verb", query->verb, "blocks", query->blocks);
        if (r < 0)
                return r;
        return sd_bus_message_append(message, "us", interactive > 0 ? FLAG_ALLOW_USER_INTERACTION : 0,
                                     query->cancellation_id);
}

/* Asks for the next action, or tells that all are allowed. */
static int ask_next(struct query *query) {
        sd_bus *bus = sd_bus_message_get_bus(query->call);
        _cleanup_bus_message_ sd_bus_message *message = NULL;
        const char *action = query->actions[query->n_asked];
        int r;

        if (!action) {
                query->allowed(query->call, query->userdata);
                query_free(query);
                return 0;
        }
        query->n_asked++;
        snprintf(query->cancellation_id, sizeof(query->cancellation_id), "memctld-%" PRIu64, ++last_cancellation);
        r = sd_bus_message_new_method_call(bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
        if (r < 0)
                return r;
        r = append_question(query, message, action);
        if (r < 0)
                return r;
        return sd_bus_call_async(bus, &query->slot, message, on_answer, query, ANSWER_TIMEOUT_USEC);
}

/* The dialog of a caller that left must not stay on the screen. */
static int on_caller_gone(sd_bus_track *track, void *userdata) {
        struct query *query = userdata;

        if (sd_bus_is_open(sd_bus_track_get_bus(track)) > 0)
                (void)sd_bus_call_method_async(sd_bus_track_get_bus(track), NULL, POLKIT_NAME, POLKIT_PATH,
                                               POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL, "s",
                                               query->cancellation_id);
        query_free(query);
        return 0;
}

static char **copy_words(const char *const *words) {
        size_t n = 0;
        char **copy;

        while (words[n])
                n++;
        copy = calloc(n + 1, sizeof(*copy));
        for (size_t i = 0; copy && i < n; i++) {
                copy[i] = strdup(words[i]);
                if (!copy[i]) {
                        while (i-- > 0)
                                free(copy[i]);
                        free(copy);
                        return NULL;
                }
        }
        return copy;
}

static int watch_caller(struct query *query) {
        int r = sd_bus_track_new(sd_bus_message_get_bus(query->call), &query->caller, on_caller_gone, query);

        return r < 0 ? r : sd_bus_track_add_sender(query->caller, query->call);
}

static int start_query(sd_bus_message *call, uid_t uid, const struct polkit_question *question,
                       polkit_allowed_fn allowed, void *userdata, polkit_free_fn free_userdata) {
        struct query *query = calloc(1, sizeof(*query));
        int r;

        if (!query) {
                free_userdata(userdata);
                return -ENOMEM;
        }
        *query = (struct query){
                .next = queries,
                .call = sd_bus_message_ref(call),
                .uid = uid,
                .actions = copy_words(question->actions),
                .verb = strdup(question->verb),
                .blocks = strdup(question->blocks),
                .allowed = allowed,
                .free_userdata = free_userdata,
                .userdata = userdata,
        };
        queries = query;
        n_queries++;
        r = query->actions && query->verb && query->blocks ? watch_caller(query) : -ENOMEM;
        if (r >= 0)
                r = ask_next(query);
        if (r < 0) {
                query_free(query);
                return r;
        }
        return 1;
}

static int sender_uid(sd_bus_message *call, uid_t *ret) {
        sd_bus_creds *creds;
        int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds);

        if (r < 0)
                return r;
        r = sd_bus_creds_get_euid(creds, ret);
        sd_bus_creds_unref(creds);
        return r;
}

static unsigned count_questions(uid_t uid) {
        unsigned n = 0;

        for (const struct query *query = queries; query; query = query->next)
                n += query->uid == uid;
        return n;
}

static int check_limits(uid_t uid, sd_bus_error *ret_error) {
        if (n_queries < QUESTIONS_MAX && count_questions(uid) < QUESTIONS_PER_USER_MAX)
                return 0;
        return sd_bus_error_setf(ret_error, BUS_ERROR_LIMITS_EXCEEDED,
                                 "%u requests already wait for authorisation, %u of them of uid %u; try again later",
                                 n_queries, count_questions(uid), uid);
}

int polkit_ask(sd_bus_message *call, const struct polkit_question *question, polkit_allowed_fn allowed, void *userdata,
               polkit_free_fn free_userdata, sd_bus_error *ret_error) {
        int r = sd_bus_query_sender_privilege(call, CAP_SYS_ADMIN);
        uid_t uid = 0;

        if (r > 0) {
                allowed(call, userdata);
                free_userdata(userdata);
                return 1;
        }
        if (r == 0)
                r = sender_uid(call, &uid);
        if (r >= 0)
                r = check_limits(uid, ret_error);
        if (r < 0) {
                free_userdata(userdata);
                return r;
        }
        return start_query(call, uid, question, allowed, userdata, free_userdata);
}
