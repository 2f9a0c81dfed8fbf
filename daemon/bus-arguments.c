/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What several methods read and answer alike: selectors, who called, why not. */

#include <errno.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "cleanup.h"

#define SELECTORS_MAX 4096

/* sd_bus_message_read_strv() takes time that grows with the square of the number: one request would hold up all. */
static int read_words(sd_bus_message *message, char ***ret, size_t n_max, size_t *ret_n) {
        size_t n_allocated = 0, n = 0;
        const char *word;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(message, 's', &word)) > 0) {
                char **grown = n < n_max ? array_grow(*ret, &n_allocated, n + 2, sizeof(*grown)) : NULL;

                if (n == n_max) {
                        *ret_n = n + 1;
                        return 0;
                }
                if (!grown)
                        return -ENOMEM;
                *ret = grown;
                grown[n] = strdup(word);
                if (!grown[n++])
                        return -ENOMEM;
                grown[n] = NULL;
        }
        *ret_n = n;
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

int read_any_selectors(sd_bus_message *message, char ***ret, sd_bus_error *error) {
        size_t n;
        int r;

        r = read_words(message, ret, SELECTORS_MAX, &n);
        if (r < 0 || n <= SELECTORS_MAX)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_LIMITS_EXCEEDED,
                                 "a request takes %d selectors, this one has more; name runs (40-47) or ranges",
                                 SELECTORS_MAX);
}

int read_selectors(sd_bus_message *message, char ***ret, sd_bus_error *error) {
        int r = read_any_selectors(message, ret, error);

        if (r < 0 || (*ret && (*ret)[0]))
                return r;
        return sd_bus_error_set(error, BUS_ERROR_INVALID_SELECTOR,
                                "no selector: say what is meant, for example memory40-47, range0, node1, all or 4G");
}

int read_sender(sd_bus_message *message, uid_t *ret_uid, pid_t *ret_pid) {
        sd_bus_creds *creds = NULL;
        int r;

        r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID, &creds);
        if (r < 0)
                return r;
        r = sd_bus_creds_get_euid(creds, ret_uid);
        /* Of a client in another pid namespace there is none. */
        if (sd_bus_creds_get_pid(creds, ret_pid) < 0)
                *ret_pid = 0;
        sd_bus_creds_unref(creds);
        return r;
}

char *join_words(char *const *words) {
        char *joined = strdup("");

        for (; joined && *words; words++) {
                char *longer = format_string("%s%s%s", joined, joined[0] ? " " : "", *words);

                free(joined);
                joined = longer;
        }
        return joined;
}

int answer_to_error(int answer, const char *text, sd_bus_error *error) {
        switch (answer) {
        case CHANGE_INVALID_SELECTOR:
                return sd_bus_error_set(error, BUS_ERROR_INVALID_SELECTOR, text);
        case CHANGE_INVALID_OPTION:
                return sd_bus_error_set(error, BUS_ERROR_INVALID_OPTION, text);
        case CHANGE_REFUSED:
                return sd_bus_error_set(error, BUS_ERROR_REFUSED, text);
        case CHANGE_LIMIT:
                return sd_bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
                                        "this user has too many unfinished jobs; wait for some to end");
        case -ESHUTDOWN:
                return sd_bus_error_set(error, BUS_ERROR_REFUSED, "memctld is being stopped; try again");
        default:
                return answer;
        }
}
