/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListPolicies: what is in force, for which ranges, and which files are not. */

#include "bus-objects.h"
#include "cleanup.h"
#include "policy.h"

static int append_setting(const char *key, const char *value, void *userdata) {
        sd_bus_message *reply = userdata;

        return sd_bus_message_append(reply, "{ss}", key, value);
}

static int append_settings(sd_bus_message *reply, const struct policy *policy) {
        int r = sd_bus_message_open_container(reply, 'a', "{ss}");

        if (r >= 0)
                r = policy_each_setting(policy, append_setting, reply);
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
