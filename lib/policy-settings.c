/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>

#include "policy.h"
#include "util.h"

/* Hands on one setting and takes over its value, which may be NULL for want of memory. */
static int hand_on(policy_setting_fn each, void *userdata, const char *key, char *value) {
        int r = value ? each(key, value, userdata) : -ENOMEM;

        free(value);
        return r;
}

/* An amount as a file has it, exactly: "4G", "1.5K". NULL without memory. */
static char *format_size(uint64_t bytes) {
        const char *suffixes = "KMGTP";
        uint64_t fraction = bytes % 1024;

        /* A 1024th has ten decimals. */
        if (fraction > 0)
                return format_string("%" PRIu64 ".%010" PRIu64 "K", bytes / 1024, fraction * 9765625);

        bytes /= 1024;
        while (suffixes[1] != '\0' && bytes % 1024 == 0) {
                bytes /= 1024;
                suffixes++;
        }
        return format_string("%" PRIu64 "%c", bytes, *suffixes);
}

static int each_match(const struct policy *policy, policy_setting_fn each, void *userdata) {
        int r = 0;

        if (policy->match_name)
                r = hand_on(each, userdata, "Match.Name", format_string("%s", policy->match_name));
        if (r >= 0 && policy->match_node != NODE_NONE)
                r = hand_on(each, userdata, "Match.Node", format_string("%d", policy->match_node));
        if (r >= 0 && policy->match_driver >= 0)
                r = hand_on(each, userdata, "Match.Driver",
                            format_string("%s", range_driver_to_string((enum range_driver)policy->match_driver)));
        if (r >= 0 && policy->match_minimum_size_bytes > 0)
                r = hand_on(each, userdata, "Match.MinimumSize", format_size(policy->match_minimum_size_bytes));
        return r;
}

int policy_each_setting(const struct policy *policy, policy_setting_fn each, void *userdata) {
        int r = each_match(policy, each, userdata);

        if (r >= 0)
                r = each("Online.Mode", policy_mode_to_string(policy->mode), userdata);
        if (r >= 0)
                r = each("Online.Zone", online_zone_to_string(policy->zone), userdata);
        if (r >= 0)
                r = each("Offline.Partial", policy->partial_allowed ? "allow" : "refuse", userdata);
        if (r >= 0)
                r = hand_on(each, userdata, "Offline.KeepAvailable",
                            policy->keep_available_bytes > 0 ? format_size(policy->keep_available_bytes)
                                                             : format_string("%u%%", policy->keep_available_percent));
        if (r >= 0)
                r = hand_on(each, userdata, "Offline.TimeoutSec",
                            format_string("%" PRIu64, policy->timeout_usec / 1000000));
        if (r >= 0)
                r = each("Remove.Allow", policy->remove_allowed ? "yes" : "no", userdata);
        return r < 0 ? r : 0;
}
