/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which SEQNUMs have come. The kernel takes the number and sends the event in two steps (lib/kobject_uevent.c), so that
 * two processors can send theirs in the wrong order: a number that is missing now may be the next to come.
 */

#include <stdbool.h>
#include <stdint.h>

/* All-zero is "none has come". */
struct uevent_sequence {
        uint64_t last;    /* the highest */
        uint64_t missing; /* bit i: last - 1 - i has not come */
};

/* Takes a number. Returns false if one that was missing is so far behind that it is not waited for any longer. */
bool uevent_sequence_take(struct uevent_sequence *sequence, uint64_t seqnum);
/* Waits for none of them any longer. Returns whether any was missing. */
bool uevent_sequence_give_up(struct uevent_sequence *sequence);
