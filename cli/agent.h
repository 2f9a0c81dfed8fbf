/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Agent: asks for a password on this terminal where polkit wants one (pkttyagent(1)). */

#include <sys/types.h>

#include "options.h"

/*
 * Starts it and waits until it is registered. Returns its pid; 0 where none is wanted (root, no terminal, another
 * machine's polkit) or there is none: then authorisation goes on without it.
 */
pid_t agent_open(const struct options *options);
/* Takes 0. */
void agent_close(pid_t agent);
