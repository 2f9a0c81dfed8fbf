/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Small machines and requests made of random numbers, or of a fuzzer's bytes, with everything about them also kept as
 * one record a block: what an inventory says in extents and ranges, said again in a way that needs no arithmetic.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory.h"
#include "plan.h"

#define N_POSITIONS 64
#define RANGES_MAX  24

/* Where choices come from: bytes first, then a generator that starts from `seed` (0: nothing but zeros). */
struct choices {
        const uint8_t *bytes;
        size_t n_bytes;
        uint64_t seed;
};

/* A number below n. */
uint64_t choose(struct choices *choices, uint64_t n);

struct position {
        bool present;
        enum block_state state;
        enum block_zone zone;
        enum block_kind kind;
        int node;
        int range; /* index, -1 none */
        int unit;  /* blocks with the same number are one removal unit; -1 where not present */
        int leaf;  /* blocks with the same number are mapped by one leaf, which must not be split */
};

struct random_machine {
        struct inventory *inventory;
        struct position positions[N_POSITIONS];
        struct policy_set policies;
        int policy_of_range[RANGES_MAX]; /* index into policies, -1: the default */
};

void random_machine_make(struct random_machine *machine, struct choices *choices);
void random_machine_clear(struct random_machine *machine);
void random_machine_print(const struct random_machine *machine);

struct random_request {
        char words[8][64];
        size_t n_words;
        struct request request; /* selectors are set by whoever parses the words */
};

void random_request_make(struct random_request *request, const struct random_machine *machine, struct choices *choices);
void random_request_print(const struct random_request *request);

/* For request.udev_policy: userdata is the machine. */
const char *random_machine_policy(const struct range *range, void *userdata);
