/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "uevent-sequence.h"

#define WINDOW 64U

static uint64_t lowest_bits(uint64_t n) {
        return n >= WINDOW ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

bool uevent_sequence_take(struct uevent_sequence *sequence, uint64_t seqnum) {
        uint64_t ahead, forgotten;

        if (sequence->last == 0) {
                sequence->last = seqnum;
                return true;
        }
        if (seqnum <= sequence->last) {
                if (seqnum < sequence->last && sequence->last - 1 - seqnum < WINDOW)
                        sequence->missing &= ~(UINT64_C(1) << (sequence->last - 1 - seqnum));
                return true;
        }
        ahead = seqnum - sequence->last;
        sequence->last = seqnum;
        if (ahead > WINDOW) {
                sequence->missing = 0;
                return false;
        }
        /* What is pushed out of the window at its far end. */
        forgotten = sequence->missing & ~lowest_bits(WINDOW - ahead);
        sequence->missing = (ahead == WINDOW ? 0 : sequence->missing << ahead) | lowest_bits(ahead - 1);
        return forgotten == 0;
}

bool uevent_sequence_give_up(struct uevent_sequence *sequence) {
        bool any = sequence->missing != 0;

        sequence->missing = 0;
        return any;
}
