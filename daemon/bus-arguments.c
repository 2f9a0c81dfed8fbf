/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What several methods read and answer alike: selectors, who called, why not. */

#include <errno.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "cleanup.h"

#define SELECTORS_MAX 4096

int read_selectors(sd_bus_message *message, char ***ret, sd_bus_error *error) {
        size_t n = 0;
        int r;

        r = sd_bus_message_read_strv(message, ret);
        if (r < 0)
                return r;
        /* sd-bus gives no list for an empty one. */
        while (*ret && (*ret)[n])
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
