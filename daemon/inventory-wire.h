/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An inventory as bytes, for the way from the process that reads sysfs to the one that serves the bus. Both are the
 * same executable, so there is no version; everything is a host-order u64 or a string, and what does not add up is
 * refused.
 */

#include <stddef.h>

#include "inventory.h"

/* Returns 0 and bytes the caller frees, or -ENOMEM. */
int inventory_encode(const struct inventory *inventory, void **ret, size_t *ret_size_bytes);
/* Returns 0 and an inventory the caller frees, -EBADMSG, -ENOMEM. */
int inventory_decode(const void *bytes, size_t size_bytes, struct inventory **ret);
