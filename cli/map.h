/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Map: a machine's memory as a picture of text, a glyph for each block or several. */

#include <stdbool.h>
#include <stdio.h>

#include "job.h"
#include "selector.h"
#include "snapshot.h"

struct map_style {
        unsigned n_columns;
        unsigned n_lines;
        bool color;
        bool utf8;
};

/* Draws the rows that share a block with the selection, the legend, and a line for each running job. Returns 0,
 * -ENOMEM. */
int map_draw(FILE *stream, const struct snapshot *snapshot, const struct selection *selection,
             const struct job_list *jobs, const struct map_style *style);
