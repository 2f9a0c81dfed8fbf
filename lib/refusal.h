/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A refusal while it is being written: the first line, then a line for each way out. A way out is planned before it is
 * offered; one that would itself be refused, or would change nothing, is left out.
 */

#include <stdio.h>

#include "decision.h"

struct words {
        struct planner *planner;
        FILE *stream;
        char *text;
        size_t size;
        char **suggestions;
        size_t n_suggestions;
        int error; /* -ENOMEM, or 0 */
};

enum way_flags {
        WAY_PARTIAL = 1 << 0,
        WAY_IGNORE_HEADROOM = 1 << 1,
        WAY_EMPTY_NODE = 1 << 2,
        WAY_THEIR_ZONE = 1 << 3, /* online: not the zone that was asked for */
};

/* Text of the first line. */
void say(struct words *words, const char *format, ...) _printf_(2, 3);
/* Blocks in text: "memory44 (128 MiB)". */
void say_blocks(struct words *words, struct span span);

/* The units that hold the blocks, as a selector: what of them is there. NULL without memory. */
char *format_units(const struct planner *planner, struct span span);

/*
 * Offers "memctl VERB [options] SELECTORS": the selectors as they are, or with what the request itself allows, or with
 * --empty-node, whichever is accepted first. To online is offered with the request's --zone=. `note` may be NULL.
 * Returns whether it was.
 */
bool offer(struct words *words, const char *label, enum verb verb, enum way_flags flags, const char *selectors,
           const char *note);
bool offer_blocks(struct words *words, const char *label, enum verb verb, enum way_flags flags, struct span span,
                  const char *note);
/* A line that shows something and changes nothing. */
void show(struct words *words, const char *label, const char *command);

/* refusal.c: findings become the plan's refusals. Returns 0, -ENOMEM. */
int planner_explain(struct planner *planner);

/* refusal-remove.c: what only a removal is refused for. */
void say_removal(struct words *words, const struct finding *finding);
