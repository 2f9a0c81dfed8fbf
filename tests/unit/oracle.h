/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the planner must answer, worked out the slow way: block by block, by the words of the specification, with every
 * subset of units tried for an amount. Nothing here is shared with the planner.
 */

#include "random-machine.h"

/*
 * Plans the request and compares. Returns NULL, or what is wrong; the text is static. *ret_accepted says whether the
 * plan would do anything, so that a run can show that not everything was refused.
 */
const char *oracle_check(const struct random_machine *machine, struct random_request *request, bool *ret_accepted);
