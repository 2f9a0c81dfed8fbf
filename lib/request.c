/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "refusal.h"

/* NULL for options that go together. */
static const char *find_conflict(const struct request *request) {
        const struct selector *amount = selector_list_amount(request->selectors);

        if (request->selectors->n == 0)
                return "nothing is named: write blocks (memory40-47), a range (range0), node1, device:NAME, all, or an "
                       "amount (4G)";
        if (request->partial && request->verb != VERB_OFFLINE)
                return "--partial goes only with offline: take it out";
        if (request->partial && amount)
                return "--partial does not go with an amount, which is taken in whole units: name the blocks, or take "
                       "--partial out";
        if (request->verb == VERB_REMOVE && amount)
                return "remove takes no amount: name a device, a range or blocks";
        if (request->has_zone && request->verb != VERB_ONLINE)
                return "--zone goes only with online: take it out";
        return NULL;
}

int plan_make(const struct inventory *inventory, const struct policy_set *policies, const struct request *request,
              struct plan **ret, char **ret_message) {
        const char *conflict = find_conflict(request);

        if (conflict) {
                char *message = strdup(conflict);
                if (!message)
                        return -ENOMEM;
                *ret_message = message;
                return -EINVAL;
        }

        struct planner planner;
        int r = planner_decide(inventory, policies, request, false, &planner);
        if (r < 0)
                return r;
        r = planner_explain(&planner);
        if (r == 0)
                *ret = TAKE_PTR(planner.plan);
        planner_clear(&planner);
        return r;
}
