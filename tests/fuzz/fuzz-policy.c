/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A policy file's text. */

#include <errno.h>

#include "fuzz.h"
#include "policy.h"

static void check_policy(const struct policy *policy) {
        must(policy->name && policy->file);
        must(!policy->match_name || *policy->match_name != '\0');
        must(policy->match_node >= NODE_NONE);
        must(policy->match_driver >= -1 && policy->match_driver < _RANGE_DRIVER_MAX);
        must(policy->keep_available_percent <= 100);
        must(policy->keep_available_percent == 0 || policy->keep_available_bytes == 0);
        must(policy->timeout_usec >= 1000000);
        must(*policy_mode_to_string(policy->mode) != '\0' && *online_zone_to_string(policy->zone) != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct policy_problems problems = { 0 };
        struct policy policy;
        char *text = fuzz_text(data, size);
        unsigned n_lines = 1;

        for (const char *at = text; *at != '\0'; at++)
                n_lines += *at == '\n';

        int r = policy_parse("fuzz", "/fuzz.policy", text, &policy, &problems);
        must(r == 0 || r == -EINVAL);
        must((r < 0) == (problems.n > 0));
        for (size_t i = 0; i < problems.n; i++)
                must(problems.items[i].line >= 1 && problems.items[i].line <= n_lines);
        if (r == 0) {
                check_policy(&policy);
                policy_clear(&policy);
        }
        policy_problems_clear(&problems);
        free(text);
        return 0;
}
