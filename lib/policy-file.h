/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One policy file or drop-in: its groups, keys and values, strictly. */

#include "policy.h"

/*
 * Applies a file's keys to a policy. Returns 0; -EINVAL with problems appended, and the policy as before; -ENOMEM.
 */
int policy_apply(struct policy *policy, const char *file, const char *text, struct policy_problems *problems);

/* A deep copy. Returns 0, -ENOMEM. */
int policy_copy(const struct policy *policy, struct policy *ret);

/* Appends a problem; line 0 is the file as a whole. Returns 0, -ENOMEM. */
int policy_problems_add(struct policy_problems *problems, const char *file, unsigned line, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
