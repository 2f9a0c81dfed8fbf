/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "refusal.h"

static const enum refusal_reason reasons[_FINDING_TYPE_MAX] = {
        [FINDING_MISSING] = REASON_NO_SUCH_BLOCK,
        [FINDING_HOLE] = REASON_HOLE,
        [FINDING_BOOT_MEMORY] = REASON_BOOT_MEMORY,
        [FINDING_SPLIT] = REASON_SPLITS_MAPPING,
        [FINDING_PARTIAL_POLICY] = REASON_POLICY,
        [FINDING_ZONE] = REASON_ZONE,
        [FINDING_HYPERVISOR] = REASON_HYPERVISOR_OWNED,
        [FINDING_NOT_REMOVABLE] = REASON_NOT_REMOVABLE,
        [FINDING_REMOVE_POLICY] = REASON_POLICY,
        [FINDING_WHOLE_DEVICE] = REASON_WHOLE_DEVICE,
        [FINDING_AMOUNT] = REASON_NOT_ENOUGH,
        /* Nothing is left to the node: the extreme of no headroom. */
        [FINDING_EMPTY_NODE] = REASON_NO_HEADROOM,
        [FINDING_HEADROOM] = REASON_NO_HEADROOM,
};

/* What the request selects but no finding refuses, as a selector; "" if that is nothing. NULL without memory. */
static char *rest_of_selection(const struct planner *planner) {
        struct span_list rest = { 0 };
        char *text = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < planner->selection.present.n; i++)
                r = span_list_add(&rest, planner->selection.present.items[i]);
        for (size_t i = 0; r == 0 && i < planner->n_findings; i++) {
                const struct finding *finding = &planner->findings[i];
                r = span_list_remove(&rest, finding->unit.n_blocks > 0 ? finding->unit : finding->span);
        }
        if (r == 0)
                text = rest.n > 0 ? format_span_list(&rest) : strdup("");
        span_list_clear(&rest);
        return text;
}

static bool leaves_a_rest(enum finding_type type) {
        return type == FINDING_MISSING || type == FINDING_HOLE || type == FINDING_BOOT_MEMORY ||
               type == FINDING_EMPTY_NODE;
}

/* The same for all findings: said once. Returns whether there is a rest that can be had, here or further on. */
static bool offer_rest(struct words *words, const struct finding *finding) {
        struct planner *planner = words->planner;

        if (planner->amount)
                return false;
        if (finding != planner->rest_at)
                return true;
        if (!planner->rest)
                planner->rest = rest_of_selection(planner);
        if (!planner->rest)
                words->error = -ENOMEM;
        return planner->rest && *planner->rest != '\0' &&
               offer(words, "the rest:", planner->request->verb, 0, planner->rest, NULL);
}

static void say_missing(struct words *words, const struct finding *finding) {
        const struct selector *selector = finding->selector;
        const struct extent_list *extents = &words->planner->inventory->extents;

        switch (selector->type) {
        case SELECTOR_BLOCKS:
                say_blocks(words, selector->span);
                say(words, " is not there");
                if (extents->n > 0)
                        say(words, ": this machine's blocks are memory%" PRIu64 " to memory%" PRIu64,
                            extents->items[0].first_block, extent_end(&extents->items[extents->n - 1]) - 1);
                show(words, "what is there:", "memctl list");
                break;
        case SELECTOR_NODE:
                say(words, "%s is not there, or has no memory blocks", selector->text);
                show(words, "what is there:", "memctl list");
                break;
        case SELECTOR_RANGE:
        case SELECTOR_ESTIMATE:
        case SELECTOR_DEVICE:
        default:
                say(words, "%s is not there, or has no memory", selector->text);
                show(words, "what is there:", "memctl list --ranges");
                break;
        }
        offer_rest(words, finding);
}

static void say_hole(struct words *words, const struct finding *finding) {
        say_blocks(words, finding->span);
        say(words, " is a hole: there is no memory");
        if (!offer_rest(words, finding))
                show(words, "what is there:", "memctl list");
}

static void say_boot_memory(struct words *words, const struct finding *finding) {
        const struct planner *planner = words->planner;
        bool arm64 = planner->inventory->machine.arch == ARCH_ARM64;

        say_blocks(words, finding->span);
        if (planner->request->verb == VERB_REMOVE)
                say(words, " is boot memory, which cannot be removed");
        else if (arm64)
                say(words, " is boot memory, which arm64 never takes offline");
        else
                say(words, " is boot memory, which goes offline only where it is named block by block");
        bool offered = offer_rest(words, finding);
        if (planner->request->verb == VERB_OFFLINE && !arm64)
                offered |= offer_blocks(words, "by name:", VERB_OFFLINE, 0, finding->span,
                                        "boot memory is seldom movable");
        if (!offered)
                show(words, "what can go:",
                     planner->request->verb == VERB_REMOVE ? "memctl list --ranges" : "memctl list --units");
}

/* " is part of a 1 GiB kernel mapping, memory40-47 of range0" */
static void say_part_of_unit(struct words *words, const struct finding *finding, const char *unit_blocks) {
        const struct inventory *inventory = words->planner->inventory;
        const struct range *range = finding->range;
        char size[FORMAT_BYTES_MAX], name[RANGE_NAME_MAX];

        if (!range) {
                say(words, " is part of a kernel mapping that is not known yet, %s", unit_blocks);
                return;
        }
        if (range->removal_granularity_bytes == GRANULARITY_UNKNOWN) {
                say(words, " is part of a kernel mapping of unknown size, %s of %s", unit_blocks,
                    range_name(range, name));
                return;
        }
        say(words, " is part of a %s kernel mapping",
            format_bytes(finding->unit.n_blocks * inventory->block_size_bytes, size));
        if (range->source != GRANULARITY_SOURCE_KERNEL)
                say(words, " (%s)", granularity_source_to_string(range->source));
        say(words, ", %s of %s", unit_blocks, range_name(range, name));
}

static void say_split(struct words *words, const struct finding *finding) {
        struct planner *planner = words->planner;
        _cleanup_free_ char *unit = format_units(planner, finding->unit), *note = NULL;

        if (!unit) {
                words->error = -ENOMEM;
                return;
        }
        say_blocks(words, finding->span);
        say_part_of_unit(words, finding, unit);
        if (finding->type == FINDING_PARTIAL_POLICY) {
                const struct policy *policy = planner_policy(planner, finding->range);
                say(words, ", and policy %s (%s) refuses --partial", policy->name, policy->file);
        }
        offer(words, "whole mapping:", planner->request->verb, 0, unit, NULL);
        if (finding->type == FINDING_PARTIAL_POLICY || planner->request->verb != VERB_OFFLINE)
                return;

        note = format_string("stays mapped; can be removed only with %s all offline", unit);
        if (!note)
                words->error = -ENOMEM;
        else
                offer_blocks(words, "this part only:", VERB_OFFLINE, WAY_PARTIAL, finding->span, note);
}

static const char *zone_in_words(enum online_zone zone) {
        return zone == ONLINE_ZONE_MOVABLE ? "zone Movable" : "a kernel zone";
}

static void say_zone(struct words *words, const struct finding *finding) {
        struct planner *planner = words->planner;
        _cleanup_free_ char *unit = format_units(planner, finding->unit);

        if (!unit) {
                words->error = -ENOMEM;
                return;
        }
        say_blocks(words, finding->span);
        say(words,
            " cannot go to %s: its unit, %s, is online in %s, and one that holds both can hardly be taken offline",
            zone_in_words(planner->request->zone), unit, zone_in_words(finding->zone));
        offer_blocks(words, "in their zone:", VERB_ONLINE, WAY_THEIR_ZONE, finding->span, NULL);
}

/* A relative amount or a target, of blocks that change. NULL without memory. */
static char *format_amount(const struct planner *planner, const struct finding *finding, uint64_t n_blocks) {
        const struct selector *amount = planner->amount;
        uint64_t n = n_blocks + (amount && amount->is_target ? finding->n_available : 0);
        uint64_t bytes = n * planner->inventory->block_size_bytes;
        const char *suffixes = "KMGTP";
        int i = 0;

        bytes /= 1024;
        while (i < 4 && bytes > 0 && bytes % 1024 == 0) {
                bytes /= 1024;
                i++;
        }
        return format_string("%s%" PRIu64 "%c", amount && amount->is_target ? "=" : "", bytes, suffixes[i]);
}

/* The request's selectors but the amount, each with a space in front. NULL without memory. */
static char *format_selectors(const struct planner *planner, bool with_amount) {
        const struct selector_list *list = planner->request->selectors;
        char *text = NULL;
        size_t size;

        FILE *stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        for (size_t i = 0; i < list->n; i++)
                if (with_amount || list->items[i].type != SELECTOR_AMOUNT)
                        fprintf(stream, " %s", list->items[i].text);
        bool failed = ferror(stream);
        if (fclose(stream) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}

/* The same request with another amount. */
static bool offer_amount(struct words *words, const struct finding *finding, const char *label, uint64_t n_blocks) {
        const struct planner *planner = words->planner;

        if (n_blocks == UINT64_MAX || n_blocks == 0)
                return false;
        _cleanup_free_ char *amount = format_amount(planner, finding, n_blocks);
        _cleanup_free_ char *others = format_selectors(planner, false);
        _cleanup_free_ char *selectors = amount && others ? format_string("%s%s", amount, others) : NULL;
        if (!selectors) {
                words->error = -ENOMEM;
                return false;
        }
        return offer(words, label, planner->request->verb, 0, selectors, NULL);
}

/* The largest amount of whole units that leaves enough available. */
static void offer_safe_amount(struct words *words, const struct finding *finding, uint64_t n_safe) {
        uint64_t n_blocks;

        int r = plan_amount_at_most(words->planner, n_safe, &n_blocks);
        if (r < 0)
                words->error = r;
        else
                offer_amount(words, finding, "that is safe:", n_blocks);
}

static void say_amount(struct words *words, const struct finding *finding) {
        const struct planner *planner = words->planner;
        uint64_t block_size_bytes = planner->inventory->block_size_bytes;
        const char *state = planner->request->verb == VERB_ONLINE ? "online" : "offline";
        uint64_t n_first = planner->amount->is_target ? finding->n_available : 0;
        char asked[FORMAT_BYTES_MAX], smaller[FORMAT_BYTES_MAX], larger[FORMAT_BYTES_MAX];

        format_bytes(planner->amount->amount_bytes, asked);
        format_bytes((n_first + finding->n_smaller) * block_size_bytes, smaller);
        bool has_smaller = finding->n_smaller > 0 || n_first > 0, has_larger = finding->n_larger != UINT64_MAX;
        if (has_larger)
                format_bytes((n_first + finding->n_larger) * block_size_bytes, larger);

        if (has_smaller && has_larger)
                say(words, "%s is no sum of whole units: the nearest that can be %s are %s and %s", asked, state,
                    smaller, larger);
        else if (has_larger)
                say(words, "%s is no sum of whole units: the least that can be %s is %s", asked, state, larger);
        else if (has_smaller)
                say(words, "%s is more than there is: the most that can be %s in whole units is %s", asked, state,
                    smaller);
        else {
                _cleanup_free_ char *others = format_selectors(planner, false);
                if (!others)
                        words->error = -ENOMEM;
                say(words, "nothing of%s can go %s in whole units",
                    others && *others != '\0' ? others : " this machine", state);
                show(words, "what there is:", "memctl list --units");
        }

        bool offered = offer_amount(words, finding, "less:", finding->n_smaller);
        offered |= offer_amount(words, finding, "more:", finding->n_larger);
        if (!offered && has_smaller && planner->request->verb == VERB_OFFLINE) {
                uint64_t keep_bytes;
                offer_safe_amount(words, finding, plan_safe_blocks(planner, finding->n_smaller, &keep_bytes));
        }
}

static void offer_regardless(struct words *words, enum way_flags flags, const char *note) {
        const struct planner *planner = words->planner;
        _cleanup_free_ char *selectors = format_selectors(planner, true);

        if (!selectors) {
                words->error = -ENOMEM;
                return;
        }
        if (planner->request->partial)
                flags |= WAY_PARTIAL;
        if (planner->request->empty_node)
                flags |= WAY_EMPTY_NODE;
        offer(words, "regardless:", planner->request->verb, flags, selectors + 1, note);
}

static void say_empty_node(struct words *words, const struct finding *finding) {
        say_blocks(words, finding->span);
        say(words, " is all the memory node%d has left", finding->node);
        offer_rest(words, finding);
        offer_regardless(words, WAY_EMPTY_NODE, "leaves a node without memory");
}

static void say_headroom(struct words *words, const struct finding *finding) {
        const struct planner *planner = words->planner;
        uint64_t block_size_bytes = planner->inventory->block_size_bytes;
        char taken[FORMAT_BYTES_MAX], keep[FORMAT_BYTES_MAX], safe[FORMAT_BYTES_MAX];

        say(words, "without %s less than %s stays available: the largest safe amount is %s",
            format_bytes(finding->n_taken * block_size_bytes, taken), format_bytes(finding->keep_bytes, keep),
            format_bytes(finding->n_safe * block_size_bytes, safe));
        if (planner->request->verb == VERB_OFFLINE)
                offer_safe_amount(words, finding, finding->n_safe);
        offer_regardless(words, WAY_IGNORE_HEADROOM, "may end in thrashing or the OOM killer");
}

static void say_finding(struct words *words, const struct finding *finding) {
        switch (finding->type) {
        case FINDING_MISSING:
                say_missing(words, finding);
                break;
        case FINDING_HOLE:
                say_hole(words, finding);
                break;
        case FINDING_BOOT_MEMORY:
                say_boot_memory(words, finding);
                break;
        case FINDING_SPLIT:
        case FINDING_PARTIAL_POLICY:
                say_split(words, finding);
                break;
        case FINDING_ZONE:
                say_zone(words, finding);
                break;
        case FINDING_AMOUNT:
                say_amount(words, finding);
                break;
        case FINDING_EMPTY_NODE:
                say_empty_node(words, finding);
                break;
        case FINDING_HEADROOM:
                say_headroom(words, finding);
                break;
        case FINDING_HYPERVISOR:
        case FINDING_NOT_REMOVABLE:
        case FINDING_REMOVE_POLICY:
        case FINDING_WHOLE_DEVICE:
        case _FINDING_TYPE_MAX:
                say_removal(words, finding);
                break;
        }
}

static int explain(struct planner *planner, const struct finding *finding) {
        struct words words = { .planner = planner };

        words.stream = open_memstream(&words.text, &words.size);
        if (!words.stream)
                return -ENOMEM;
        say_finding(&words, finding);
        if (ferror(words.stream))
                words.error = -ENOMEM;
        if (fclose(words.stream) != 0)
                words.error = -ENOMEM;

        if (words.error < 0) {
                free(words.text);
                words.text = NULL;
        }
        int r = plan_add_refusal(planner->plan, reasons[finding->type], finding->span, words.text, words.suggestions,
                                 words.n_suggestions);
        return words.error < 0 ? words.error : r;
}

int planner_explain(struct planner *planner) {
        for (size_t i = 0; i < planner->n_findings; i++)
                if (leaves_a_rest(planner->findings[i].type))
                        planner->rest_at = &planner->findings[i];

        for (size_t i = 0; i < planner->n_findings; i++) {
                int r = explain(planner, &planner->findings[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
