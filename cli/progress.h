/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bar on a terminal's last line for what takes over a second: how far, how fast, how many blocks are left. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
        const char *what; /* "offline" */
        uint64_t block_size_bytes;
        uint64_t started_usec; /* CLOCK_MONOTONIC */
        uint64_t total_bytes;
        uint64_t done_bytes;
        bool is_rollback;
        bool is_terminal;
        bool is_shown;
};

#define PROGRESS_DELAY_USEC UINT64_C(1000000)

/* The bar alone. */
void progress_bar(FILE *stream, bool utf8, unsigned n_cells, uint64_t done_bytes, uint64_t total_bytes);

void progress_start(struct progress *progress, const char *what, uint64_t block_size_bytes);
/* Draws it on standard error if that is a terminal and the delay is over. */
void progress_draw(struct progress *progress);
/* Wipes it, so that messages stand alone. */
void progress_wipe(struct progress *progress);
