/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What became of each block of a job, as runs. */

#include <stddef.h>
#include <stdint.h>

#include "extent.h"

enum block_outcome {
        OUTCOME_NOT_TRIED,
        OUTCOME_DONE,        /* brought to the state that was asked for */
        OUTCOME_ALREADY,     /* somebody else had brought it there; nothing was done to it */
        OUTCOME_FAILED,      /* could not be changed; is as before */
        OUTCOME_ROLLED_BACK, /* was changed, is as before again */
        OUTCOME_OWED,        /* was changed, could not be put back */
        _BLOCK_OUTCOME_MAX,
};

struct result_run {
        struct span span;
        enum block_outcome outcome;
        int error; /* positive errno, 0 none */
};

/* Sorted by block; neighbours with the same outcome and errno are one run. All-zero is the empty list. */
struct result_list {
        struct result_run *items;
        size_t n;
        size_t n_allocated;
};

/* The blocks of `span` become what is said, whatever was there. Returns 0 or -ENOMEM (the list is then as before). */
int result_list_set(struct result_list *list, struct span span, enum block_outcome outcome, int error);
/* The run that holds the block, or NULL. */
const struct result_run *result_list_find(const struct result_list *list, uint64_t block);
void result_list_clear(struct result_list *list);

const char *block_outcome_to_string(enum block_outcome outcome);
int block_outcome_from_string(const char *word, enum block_outcome *ret);
/* What the errno of a write to memoryN/state means here; "" for 0. */
const char *block_error_meaning(int error);
