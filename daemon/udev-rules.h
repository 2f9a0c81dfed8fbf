/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether udevd has to be waited for: on a machine with many devices it takes seconds to come to a new range, and only
 * a rule that names MEMCTL_POLICY has anything to say about one (memctl.policy(5)).
 */

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing is known yet. */
struct udev_rules {
        bool is_known, choose;
        uint64_t fingerprint; /* of the files `choose` was read from */
};

/*
 * Whether a file of rules names MEMCTL_POLICY, in the folders of udev(7). A file that is masked counts, as does one
 * that cannot be read. Files that have not changed are not read again.
 */
bool udev_rules_choose(struct udev_rules *rules);
