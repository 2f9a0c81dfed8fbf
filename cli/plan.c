/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "exit-status.h"
#include "plan-report.h"
#include "snapshot.h"
#include "verbs.h"

int dry_run(const struct options *options, enum verb verb, char **words, size_t n_words) {
        struct snapshot *snapshot = NULL;
        struct plan *plan = NULL;
        int status;

        status = snapshot_read(options, &snapshot);
        if (status == STATUS_DONE)
                status = snapshot_plan(snapshot, options, verb, words, n_words, &plan);
        if (status == STATUS_DONE)
                status = plan_report(options, verb, plan, snapshot->inventory->block_size_bytes);

        plan_free(plan);
        snapshot_free(snapshot);
        return status;
}

int verb_plan(const struct options *options, char **words, size_t n_words) {
        enum verb verb;

        if (verb_from_string(words[0], &verb) < 0) {
                fprintf(stderr, "memctl: what is to be planned, online, offline or remove? \"%s\" is none of them\n",
                        words[0]);
                return STATUS_USAGE;
        }

        return dry_run(options, verb, words + 1, n_words - 1);
}
