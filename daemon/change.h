/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change somebody asked for, as it came over the bus: what is planned, authorised, queued and planned again. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

struct change {
        enum verb verb;
        char **selectors; /* NULL-terminated words; never NULL once parsed */
        bool partial;
        bool best_effort;
        bool ignore_headroom;
        bool empty_node;
        bool has_zone;
        enum online_zone zone;
        uint64_t timeout_usec; /* the whole forward phase; USEC_INFINITY none */
        char *request_id;      /* NULL none */
        bool has_expect_generation;
        uint64_t expect_generation;
        bool cancel_on_disconnect;
        bool ignore_inhibitors;
        uid_t uid; /* who asked */
        pid_t pid; /* 0 not known */
};

void change_clear(struct change *change);
