/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a plan looks like to a person and to a program: for "plan", --dry-run and refusals in JSON. */

#include <json-c/json.h>

#include "options.h"
#include "plan.h"

/* Prints steps and side effects on standard output and refusals on standard error, or all as JSON. */
int plan_report(const struct options *options, enum verb verb, const struct plan *plan, uint64_t block_size_bytes);
/* What a request with this plan would exit with before it has run. */
int plan_exit_status(const struct plan *plan);
/* [{start, size, blocks, reason, text, suggestions}]; NULL without memory. */
json_object *plan_refusals_to_json(const struct plan *plan, uint64_t block_size_bytes);
