/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "refusal.h"

/* The blocks, or where they are only a part, the units that hold them. */
static void offer_offline(struct words *words, struct span span) {
        if (offer_blocks(words, "offline only:", VERB_OFFLINE, 0, span, NULL))
                return;

        _cleanup_free_ char *units = format_units(words->planner, span);
        if (!units)
                words->error = -ENOMEM;
        else
                offer(words, "offline only:", VERB_OFFLINE, 0, units, NULL);
}

static void say_not_removable(struct words *words, const struct finding *finding) {
        const struct range *range = finding->range;
        char name[RANGE_NAME_MAX];

        say_blocks(words, finding->span);
        if (!range)
                say(words, " cannot be removed: who added it is not known yet");
        else if (range->kind != KIND_HOT_ADDED)
                say(words, " of %s cannot be removed: it cannot be told from boot memory", range_name(range, name));
        else if (range->driver == DRIVER_ACPI || range->driver == DRIVER_DAX)
                say(words, " of %s cannot be removed: its %s device cannot be found", range_name(range, name),
                    range_driver_to_string(range->driver));
        else
                say(words,
                    " of %s cannot be removed: only the driver that added '%s' can do that, and there is no way to ask "
                    "it",
                    range_name(range, name), range->name);
        offer_offline(words, finding->span);
}

static void say_whole_device(struct words *words, const struct finding *finding) {
        _cleanup_free_ char *selector = format_string("device:%s", finding->range->device);
        char name[RANGE_NAME_MAX];

        say_blocks(words, finding->span);
        say(words, " of %s is part of device %s, which can be removed only as a whole",
            range_name(finding->range, name), finding->range->device);
        if (!selector)
                words->error = -ENOMEM;
        else
                offer(words, "whole device:", VERB_REMOVE, 0, selector, NULL);
        offer_offline(words, finding->span);
}

void say_removal(struct words *words, const struct finding *finding) {
        char name[RANGE_NAME_MAX];

        switch (finding->type) {
        case FINDING_HYPERVISOR:
                say_blocks(words, finding->span);
                say(words, " of %s is virtio-mem, which only the hypervisor removes: lower its requested-size there",
                    range_name(finding->range, name));
                offer_offline(words, finding->span);
                break;
        case FINDING_REMOVE_POLICY: {
                const struct policy *policy = planner_policy(words->planner, finding->range);
                say_blocks(words, finding->span);
                say(words, " of %s may not be removed: policy %s (%s) says Allow=no", range_name(finding->range, name),
                    policy->name, policy->file);
                offer_offline(words, finding->span);
                break;
        }
        case FINDING_WHOLE_DEVICE:
                say_whole_device(words, finding);
                break;
        default:
                say_not_removable(words, finding);
                break;
        }
}
