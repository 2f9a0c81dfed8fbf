/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The numbers of estimated ranges (estN). An estN is identified by boot id, start and size; its number is the same
 * after a restart of the service and is never given to another range while the system is up.
 */

#include "inventory.h"

/* All-zero is "nothing known yet". */
struct estimates {
        struct inventory *known; /* every estN of this boot as a range; nothing but that */
};

/* For inventory_options.previous. Read from the runtime directory the first time; NULL without memory. */
const struct inventory *estimates_known(struct estimates *estimates);
/* Takes in the estN of an inventory and saves them where there are new ones. Returns 0 or -errno. */
int estimates_remember(struct estimates *estimates, const struct inventory *inventory);
void estimates_clear(struct estimates *estimates);
