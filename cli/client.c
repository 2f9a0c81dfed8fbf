/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client-read.h"
#include "exit-status.h"
#include "output.h"
#include "transport.h"
#include "util.h"

/* Never on a bus: another machine's memctld cannot be reached, in words that name it. */
#define ERROR_ELSEWHERE "org.memctl1.Error.Elsewhere"

/* What is to be done about another machine's memctld is to be done there. */
static void tell_where(const struct options *options, int r, sd_bus_error *error) {
        const char *option = options->host ? "-H" : "-M", *name = options->host ? options->host : options->machine;
        _cleanup_free_ char *why = strdup(error->message ? error->message : strerror(-r));

        sd_bus_error_free(error);
        sd_bus_error_setf(error, ERROR_ELSEWHERE,
                          "memctld of %s cannot be reached: %s\n"
                          "  look there:  systemctl %s %s status memctld",
                          name, why ? why : "", option, name);
}

int client_open(const struct options *options, struct client **ret, sd_bus_error *error) {
        struct client *client = calloc(1, sizeof *client);
        int r;

        if (!client)
                return -ENOMEM;

        r = transport_open(options, &client->bus, &client->ssh);
        if (r >= 0)
                r = client_read_manager(client, NULL, error);
        if (r < 0) {
                client_close(client);
                if ((options->host || options->machine) && client_is_unreachable(r, error))
                        tell_where(options, r, error);
                return r;
        }

        *ret = client;
        return 0;
}

struct client *client_close(struct client *client) {
        if (!client)
                return NULL;

        transport_close(client->bus, client->ssh);
        free(client->version);
        free(client);
        return NULL;
}

static int append_flag(sd_bus_message *message, const char *name, bool value) {
        return value ? sd_bus_message_append(message, "{sv}", name, "b", 1) : 0;
}

int client_append_request(sd_bus_message *message, const struct options *options, enum verb verb, char **words,
                          bool is_plan) {
        int r;

        if (is_plan) {
                r = sd_bus_message_append(message, "s", verb_to_string(verb));
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_append_strv(message, words);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r >= 0)
                r = append_flag(message, "partial", options->partial);
        if (r >= 0)
                r = append_flag(message, "best-effort", options->best_effort);
        if (r >= 0)
                r = append_flag(message, "ignore-headroom", options->ignore_headroom);
        if (r >= 0)
                r = append_flag(message, "empty-node", options->empty_node);
        if (r >= 0)
                r = append_flag(message, "ignore-inhibitors", options->ignore_inhibitors);
        if (r >= 0 && options->zone)
                r = sd_bus_message_append(message, "{sv}", "zone", "s", options->zone);
        if (r >= 0 && options->timeout_usec && !is_plan)
                r = sd_bus_message_append(message, "{sv}", "timeout-usec", "t", options->timeout_usec);
        /* A killed client or a broken connection rolls back, unless nobody means to wait. */
        if (r >= 0 && !is_plan)
                r = append_flag(message, "cancel-on-disconnect", !options->no_wait);
        if (r >= 0)
                r = sd_bus_message_close_container(message);

        return r;
}

#define OWNER_CHANGED                                                                                                  \
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"      \
        "arg0='" MEMCTL_BUS_NAME "'"
#define DISCONNECTED                                                                                                   \
        "type='signal',sender='org.freedesktop.DBus.Local',interface='org.freedesktop.DBus.Local',"                    \
        "member='Disconnected'"

static int watch(struct client *client, const char *owner_match, sd_bus_message_handler_t handler, void *userdata) {
        int r;

        r = sd_bus_add_match(client->bus, NULL, owner_match, handler, userdata);
        if (r >= 0)
                r = sd_bus_add_match(client->bus, NULL, DISCONNECTED, handler, userdata);
        return r < 0 ? r : 0;
}

int client_watch_owner(struct client *client, sd_bus_message_handler_t changed, void *userdata) {
        return watch(client, OWNER_CHANGED, changed, userdata);
}

int client_watch_loss(struct client *client, sd_bus_message_handler_t lost, void *userdata) {
        /* An empty arg2 is the name without a new owner: a first owner is no loss. */
        return watch(client, OWNER_CHANGED ",arg2=''", lost, userdata);
}

bool client_is_unreachable(int r, const sd_bus_error *error) {
        static const char *const names[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                SD_BUS_ERROR_NO_SERVER,
                SD_BUS_ERROR_NO_REPLY,
                SD_BUS_ERROR_TIMEOUT,
                SD_BUS_ERROR_DISCONNECTED,
                ERROR_ELSEWHERE,
        };

        /* sd-bus names its own errnos too: those are told by r. */
        if (sd_bus_error_is_set(error) && strncmp(error->name, "System.Error.", 13) != 0) {
                for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                        if (sd_bus_error_has_name(error, names[i]))
                                return true;
                /* The bus could not start it: not installed, masked, or it failed. */
                return strncmp(error->name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0 ||
                       strncmp(error->name, "org.freedesktop.systemd1.", 25) == 0;
        }

        /* No bus to be reached, or it went away. */
        return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE ||
               r == -ENOMEDIUM || r == -ETIMEDOUT || r == -EHOSTDOWN || r == -ENXIO;
}

int client_exit_status(int r, const sd_bus_error *error) {
        static const struct {
                const char *name;
                int status;
        } errors[] = {
                { MEMCTL_ERROR("SplitsMapping"), STATUS_SPLITS_MAPPING },
                { MEMCTL_ERROR("Refused"), STATUS_REFUSED },
                { MEMCTL_ERROR("LimitsExceeded"), STATUS_REFUSED },
                { MEMCTL_ERROR("InvalidSelector"), STATUS_USAGE },
                { MEMCTL_ERROR("InvalidOption"), STATUS_USAGE },
                { SD_BUS_ERROR_ACCESS_DENIED, STATUS_NOT_AUTHORISED },
                { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, STATUS_NOT_AUTHORISED },
        };

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
                if (sd_bus_error_has_name(error, errors[i].name))
                        return errors[i].status;

        return client_is_unreachable(r, error) ? STATUS_UNREACHABLE : STATUS_FAILED;
}

int client_report(int r, const sd_bus_error *error) {
        int status = client_exit_status(r, error);
        const char *message = sd_bus_error_is_set(error) && error->message ? error->message : strerror(-r);

        switch (status) {
        case STATUS_SPLITS_MAPPING:
        case STATUS_REFUSED:
                print_refusal(stderr, message);
                break;
        case STATUS_USAGE:
                fprintf(stderr, "memctl: %s\n", message);
                break;
        case STATUS_NOT_AUTHORISED:
                fprintf(stderr,
                        "memctl: not authorised: %s\n"
                        "  as the administrator:  sudo memctl ...\n"
                        "  for good:              a polkit rule for the action, see org.memctl1(5)\n",
                        message);
                break;
        case STATUS_UNREACHABLE:
                if (sd_bus_error_has_name(error, ERROR_ELSEWHERE)) {
                        fprintf(stderr, "memctl: %s\n", message);
                        break;
                }
                fprintf(stderr,
                        "memctl: memctld cannot be reached: %s\n"
                        "  start it:  systemctl start memctld\n"
                        "  see why:   memctl doctor, journalctl -u memctld\n",
                        message);
                break;
        default:
                fprintf(stderr, "memctl: memctld answered: %s\n", message);
        }

        return status;
}
