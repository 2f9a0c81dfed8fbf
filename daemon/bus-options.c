/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "util.h"

#define REQUEST_ID_LENGTH_MAX 128

static int set_partial(struct change *change, int value) {
        change->partial = value;
        return 0;
}

static int set_best_effort(struct change *change, int value) {
        change->best_effort = value;
        return 0;
}

static int set_ignore_headroom(struct change *change, int value) {
        change->ignore_headroom = value;
        return 0;
}

static int set_empty_node(struct change *change, int value) {
        change->empty_node = value;
        return 0;
}

static int set_cancel_on_disconnect(struct change *change, int value) {
        change->cancel_on_disconnect = value;
        return 0;
}

static int set_ignore_inhibitors(struct change *change, int value) {
        change->ignore_inhibitors = value;
        return 0;
}

static int set_timeout(struct change *change, uint64_t value) {
        if (value == 0)
                return -EINVAL;
        change->timeout_usec = value;
        return 0;
}

static int set_expect_generation(struct change *change, uint64_t value) {
        change->has_expect_generation = true;
        change->expect_generation = value;
        return 0;
}

static int set_zone(struct change *change, const char *value) {
        change->has_zone = true;
        return online_zone_from_string(value, &change->zone);
}

static int set_request_id(struct change *change, const char *value) {
        if (value[0] == '\0' || strlen(value) > REQUEST_ID_LENGTH_MAX)
                return -EINVAL;
        free(change->request_id);
        change->request_id = strdup(value);
        return change->request_id ? 0 : -ENOMEM;
}

/* One of the three, after its type; -EINVAL means a value that is none, and `values` says what would be. */
static const struct option {
        const char *name;
        const char *type;
        int (*set_flag)(struct change *change, int value);
        int (*set_number)(struct change *change, uint64_t value);
        int (*set_word)(struct change *change, const char *value);
        const char *values;
} options[] = {
        { "partial", "b", .set_flag = set_partial },
        { "best-effort", "b", .set_flag = set_best_effort },
        { "ignore-headroom", "b", .set_flag = set_ignore_headroom },
        { "empty-node", "b", .set_flag = set_empty_node },
        { "cancel-on-disconnect", "b", .set_flag = set_cancel_on_disconnect },
        { "ignore-inhibitors", "b", .set_flag = set_ignore_inhibitors },
        { "timeout-usec", "t", .set_number = set_timeout, .values = "microseconds, above 0" },
        { "expect-generation", "t", .set_number = set_expect_generation },
        { "zone", "s", .set_word = set_zone, .values = "default, kernel or movable" },
        { "request-id", "s", .set_word = set_request_id, .values = "1 to 128 characters" },
};

static const struct option *find_option(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

static int read_value(sd_bus_message *message, const struct option *option, struct change *change) {
        uint64_t number;
        const char *word;
        int flag, r;

        if (option->set_flag) {
                r = sd_bus_message_read(message, "b", &flag);
                return r < 0 ? r : option->set_flag(change, flag);
        }
        if (option->set_number) {
                r = sd_bus_message_read(message, "t", &number);
                return r < 0 ? r : option->set_number(change, number);
        }
        r = sd_bus_message_read(message, "s", &word);
        return r < 0 ? r : option->set_word(change, word);
}

static int read_option(sd_bus_message *message, struct change *change, sd_bus_error *error) {
        const struct option *option;
        const char *name, *type;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        option = find_option(name);
        if (!option)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION,
                                         "unknown option %s; org.memctl1(5) lists what there is", name);
        r = sd_bus_message_peek_type(message, NULL, &type);
        if (r < 0)
                return r;
        if (strcmp(type, option->type) != 0)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "option %s: must be of type %s, not %s", name,
                                         option->type, type);
        r = sd_bus_message_enter_container(message, 'v', type);
        if (r < 0)
                return r;
        r = read_value(message, option, change);
        if (r == -EINVAL)
                return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "option %s: no such value; use %s", name,
                                         option->values ? option->values : option->type);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(message);
}

int read_change_options(sd_bus_message *message, struct change *change, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_option(message, change, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}
