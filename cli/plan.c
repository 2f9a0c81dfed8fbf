/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "exit-status.h"
#include "nearest.h"
#include "plan-report.h"
#include "snapshot.h"
#include "verbs.h"

int dry_run(const struct options *options, enum verb verb, char **words, size_t n_words) {
        struct snapshot *snapshot = NULL;
        struct plan *plan = NULL;
        int status;

        status = snapshot_read(options, INVENTORY_ZONES | INVENTORY_NODE_MEMORY, &snapshot);
        if (status == STATUS_DONE)
                status = snapshot_plan(snapshot, options, verb, words, n_words, &plan);
        if (status == STATUS_DONE)
                status = plan_report(options, verb, plan, snapshot->inventory->block_size_bytes);

        plan_free(plan);
        snapshot_free(snapshot);
        return status;
}

static const char *verb_name(size_t i, const void *userdata) {
        (void)userdata;
        return verb_to_string((enum verb)i);
}

int verb_plan(const struct options *options, char **words, size_t n_words) {
        enum verb verb;

        if (verb_from_string(words[0], &verb) < 0) {
                const char *near = nearest_word(words[0], verb_name, _VERB_MAX, NULL);

                fprintf(stderr, "memctl: what is to be planned, online, offline or remove? \"%s\" is none of them",
                        words[0]);
                if (near)
                        fprintf(stderr, ", did you mean %s?\n", near);
                else
                        fputc('\n', stderr);
                return STATUS_USAGE;
        }

        return dry_run(options, verb, words + 1, n_words - 1);
}
