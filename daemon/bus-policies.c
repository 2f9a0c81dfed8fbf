/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListPolicies: what is in force, for which ranges, and which files are not. */

#include <errno.h>
#include <inttypes.h>

#include "bus-objects.h"
#include "cleanup.h"
#include "policy.h"

/* A key of a policy file and its value, as it is written there. Takes over `value`, which may be NULL. */
static int append_setting(sd_bus_message *reply, const char *key, char *value) {
        int r = value ? sd_bus_message_append(reply, "{ss}", key, value) : -ENOMEM;

        free(value);
        return r;
}

static int append_match(sd_bus_message *reply, const struct policy *policy) {
        int r = 0;

        if (policy->match_name)
                r = append_setting(reply, "Match.Name", format_string("%s", policy->match_name));
        if (r >= 0 && policy->match_node != NODE_NONE)
                r = append_setting(reply, "Match.Node", format_string("%d", policy->match_node));
        if (r >= 0 && policy->match_driver >= 0)
                r = append_setting(
                        reply, "Match.Driver",
                        format_string("%s", range_driver_to_string((enum range_driver)policy->match_driver)));
        if (r >= 0 && policy->match_minimum_size_bytes > 0)
                r = append_setting(reply, "Match.MinimumSize",
                                   format_string("%" PRIu64, policy->match_minimum_size_bytes));
        return r;
}

static int append_settings(sd_bus_message *reply, const struct policy *policy) {
        int r = sd_bus_message_open_container(reply, 'a', "{ss}");

        if (r >= 0)
                r = append_match(reply, policy);
        if (r >= 0)
                r = append_setting(reply, "Online.Mode", format_string("%s", policy_mode_to_string(policy->mode)));
        if (r >= 0)
                r = append_setting(reply, "Online.Zone", format_string("%s", online_zone_to_string(policy->zone)));
        if (r >= 0)
                r = append_setting(reply, "Offline.Partial",
                                   format_string("%s", policy->partial_allowed ? "allow" : "refuse"));
        if (r >= 0)
                r = append_setting(reply, "Offline.KeepAvailable",
                                   policy->keep_available_bytes > 0
                                           ? format_string("%" PRIu64, policy->keep_available_bytes)
                                           : format_string("%u%%", policy->keep_available_percent));
        if (r >= 0)
                r = append_setting(reply, "Offline.TimeoutSec",
                                   format_string("%" PRIu64, policy->timeout_usec / USEC_PER_SEC));
        if (r >= 0)
                r = append_setting(reply, "Remove.Allow", format_string("%s", policy->remove_allowed ? "yes" : "no"));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_ranges(sd_bus_message *reply, const struct manager *manager, const struct policy *policy) {
        const struct inventory *inventory = manager_inventory(manager);
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < inventory->n_ranges; i++) {
                char name[RANGE_NAME_MAX];
                enum policy_choice choice;

                if (manager_policy(manager, &inventory->ranges[i], &choice) == policy)
                        r = sd_bus_message_append(reply, "s", range_name(&inventory->ranges[i], name));
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_policy(sd_bus_message *reply, const struct manager *manager, const struct policy *policy) {
        int r = sd_bus_message_open_container(reply, 'r', "ssa{ss}as");

        if (r >= 0)
                r = sd_bus_message_append(reply, "ss", policy->name, policy->file);
        if (r >= 0)
                r = append_settings(reply, policy);
        if (r >= 0)
                r = append_ranges(reply, manager, policy);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_policies(sd_bus_message *reply, const struct manager *manager) {
        const struct policy_set *policies = manager_policies(manager);
        int r = sd_bus_message_open_container(reply, 'a', "(ssa{ss}as)");

        for (size_t i = 0; r >= 0 && i < policies->n; i++)
                r = append_policy(reply, manager, &policies->items[i]);
        if (r >= 0)
                r = append_policy(reply, manager, &policy_default);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_problems(sd_bus_message *reply, const struct policy_problems *problems) {
        int r = sd_bus_message_open_container(reply, 'a', "(sus)");

        for (size_t i = 0; r >= 0 && i < problems->n; i++)
                r = sd_bus_message_append(reply, "(sus)", problems->items[i].file, problems->items[i].line,
                                          problems->items[i].message);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int method_list_policies(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        (void)error;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = append_policies(reply, service->manager);
        if (r >= 0)
                r = append_problems(reply, manager_policy_problems(service->manager));
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
