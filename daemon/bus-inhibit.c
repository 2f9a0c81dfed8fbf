/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibit and ListInhibitors. */

#include <errno.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "cleanup.h"
#include "log.h"
#include "polkit.h"

#define TEXT_LENGTH_MAX 256

/* An inhibitor that waits for its authorisation. */
struct pending_inhibitor {
        struct service *service;
        struct inhibitor inhibitor;
};

static void free_pending(void *userdata) {
        struct pending_inhibitor *pending = userdata;

        inhibitor_clear(&pending->inhibitor);
        free(pending);
}

static int set_text(char **field, const char *name, const char *value, sd_bus_error *error) {
        if (value[0] == '\0' || strlen(value) > TEXT_LENGTH_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "%s: must have 1 to %d characters", name,
                                         TEXT_LENGTH_MAX);
        *field = strdup(value);
        return *field ? 0 : -ENOMEM;
}

static int read_inhibitor(sd_bus_message *message, struct inhibitor *inhibitor, sd_bus_error *error) {
        const char *what, *mode, *who, *why;
        int r;

        r = sd_bus_message_read(message, "s", &what);
        if (r >= 0)
                r = read_selectors(message, &inhibitor->selectors, error);
        if (r >= 0)
                r = sd_bus_message_read(message, "sss", &mode, &who, &why);
        if (r < 0)
                return r;
        if (inhibit_what_from_string(what, &inhibitor->verbs) < 0)
                return sd_bus_error_setf(
                        error, BUS_ERROR_INVALID_OPTION,
                        "what: %s is not to be inhibited; there are offline, remove and online, joined "
                        "by colons",
                        what[0] ? what : "nothing");
        if (inhibit_mode_from_string(mode, &inhibitor->mode) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION,
                                         "mode: %s is no mode; there are block and delay", mode);
        r = set_text(&inhibitor->who, "who", who, error);
        if (r >= 0)
                r = set_text(&inhibitor->why, "why", why, error);
        return r < 0 ? r : read_sender(message, &inhibitor->uid, &inhibitor->pid);
}

static int take(sd_bus_message *call, struct pending_inhibitor *pending, sd_bus_error *error) {
        _cleanup_free_ char *text = NULL, *what = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        what = inhibit_what_to_string(pending->inhibitor.verbs);
        if (what)
                log_info("%s (uid %u, pid %d) inhibits %s of %s (%s): %s", pending->inhibitor.who,
                         pending->inhibitor.uid, pending->inhibitor.pid, what, pending->inhibitor.selectors[0],
                         inhibit_mode_to_string(pending->inhibitor.mode), pending->inhibitor.why);
        r = manager_inhibit(pending->service->manager, &pending->inhibitor, &fd, &text);
        if (r == CHANGE_LIMIT)
                return sd_bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
                                        "there are too many inhibitors of this user, or at all; release some");
        if (r != 0)
                return answer_to_error(r, text, error);
        return sd_bus_reply_method_return(call, "h", fd);
}

static void on_allowed(sd_bus_message *call, void *userdata) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = take(call, userdata, &error);

        if (r < 0)
                (void)sd_bus_reply_method_errno(call, r, &error);
}

int method_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const char *const actions[] = { "org.memctl1.inhibit", NULL };
        struct pending_inhibitor *pending = calloc(1, sizeof(*pending));
        _cleanup_free_ char *names = NULL;
        int r;

        if (!pending)
                return -ENOMEM;
        pending->service = userdata;
        r = read_inhibitor(message, &pending->inhibitor, error);
        if (r >= 0) {
                names = join_words(pending->inhibitor.selectors);
                r = names ? 0 : -ENOMEM;
        }
        if (r < 0) {
                free_pending(pending);
                return r;
        }
        return polkit_ask(message, &(struct polkit_question){ .actions = actions, .verb = "inhibit", .blocks = names },
                          on_allowed, pending, free_pending, error);
}

static int append_inhibitor(sd_bus_message *reply, const struct inhibitor *inhibitor) {
        _cleanup_free_ char *what = inhibit_what_to_string(inhibitor->verbs);
        int r = what ? sd_bus_message_open_container(reply, 'r', "sassssuu") : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_append(reply, "s", what);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, inhibitor->selectors);
        if (r >= 0)
                r = sd_bus_message_append(reply, "sssuu", inhibit_mode_to_string(inhibitor->mode), inhibitor->who,
                                          inhibitor->why, (uint32_t)inhibitor->uid, (uint32_t)inhibitor->pid);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int method_list_inhibitors(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        const struct inhibitor *inhibitor;
        int r;

        (void)error;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sassssuu)");
        for (size_t i = 0; r >= 0 && (inhibitor = manager_inhibitor(service->manager, i)); i++)
                r = append_inhibitor(reply, inhibitor);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
