/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "uevent.h"

/*
 * A write to a device's `uevent` file: "ACTION [UUID [KEY=VALUE …]]" (Documentation/ABI/testing/sysfs-uevent).
 * Returns 0 or -EINVAL.
 */
int synthetic_uevent(struct uevents *uevents, const char *device, const char *subsystem, const char *properties,
                     const char *text);
