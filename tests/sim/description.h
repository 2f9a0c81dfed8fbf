/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine's description file (JSON; README.md has every key) → the machine as it is when user space starts.
 */

#include "machine.h"

/*
 * Returns 0 and a machine to be cleared with machine_clear(), or -errno after a message on standard error that names
 * the file, the place in it and what is wrong. No key is ignored.
 */
int description_read(const char *path, struct machine *ret);
