/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change somebody asked for, as it came over the bus: what is planned, authorised, queued and planned again. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

/* What a change comes to, or why it comes to nothing; negative is a fault. */
enum change_answer {
        CHANGE_PLANNED = 0, /* perhaps with refusals: see the plan */
        CHANGE_INVALID_SELECTOR = 1,
        CHANGE_INVALID_OPTION = 2,
        CHANGE_REFUSED = 3, /* a request that was to be carried out */
        CHANGE_LIMIT = 4,   /* too many of them */
};

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
        bool no_parts;  /* nobody authorised that a removal unit is left in part */
        bool by_policy; /* memctld's own: counts for nobody */
        uid_t uid;      /* who asked */
        pid_t pid;      /* 0 not known */
};

void change_clear(struct change *change);
