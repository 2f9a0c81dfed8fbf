/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is different between two snapshots of one machine. Pure. */

#include <stdbool.h>

#include "inventory.h"

/* Same number, same origin and every attribute but free memory equal. */
bool range_equal(const struct range *a, const struct range *b);

/*
 * Adds the blocks of `now` that were not so in `before` to *ret_changed and says whether blocks are gone. Returns 1 if
 * anything is different (ranges and the machine's own attributes count), 0 if not, -ENOMEM.
 */
int inventory_diff(const struct inventory *before, const struct inventory *now, struct span_list *ret_changed,
                   bool *ret_gone);
