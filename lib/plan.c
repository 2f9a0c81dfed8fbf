/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "planner.h"

static void free_suggestions(char **suggestions, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(suggestions[i]);
        free(suggestions);
}

struct plan *plan_free(struct plan *plan) {
        if (!plan)
                return NULL;

        for (size_t i = 0; i < plan->n_refusals; i++) {
                free(plan->refusals[i].text);
                free_suggestions(plan->refusals[i].suggestions, plan->refusals[i].n_suggestions);
        }
        for (size_t i = 0; i < plan->n_side_effects; i++)
                free(plan->side_effects[i].text);
        for (size_t i = 0; i < plan->n_removals; i++)
                free(plan->removals[i].device);
        free(plan->steps);
        free(plan->spares);
        free(plan->refusals);
        free(plan->side_effects);
        free(plan->removals);
        free(plan);
        return NULL;
}

int plan_add_refusal(struct plan *plan, enum refusal_reason reason, struct span span, char *text, char **suggestions,
                     size_t n_suggestions) {
        struct refusal *refusals = text ? reallocarray(plan->refusals, plan->n_refusals + 1, sizeof(*refusals)) : NULL;
        if (refusals)
                plan->refusals = refusals;
        if (!refusals) {
                free(text);
                free_suggestions(suggestions, n_suggestions);
                return -ENOMEM;
        }

        refusals[plan->n_refusals++] = (struct refusal){
                .reason = reason,
                .span = span,
                .text = text,
                .suggestions = suggestions,
                .n_suggestions = n_suggestions,
        };
        return 0;
}

bool plan_refused_only_splits(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_refusals; i++)
                if (plan->refusals[i].reason != REASON_SPLITS_MAPPING)
                        return false;
        return plan->n_refusals > 0;
}

char *plan_refusal_text(const struct plan *plan) {
        char *text = NULL;
        size_t size;

        FILE *stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        for (size_t i = 0; i < plan->n_refusals; i++)
                fprintf(stream, "%s%s", i > 0 ? "\n" : "", plan->refusals[i].text);

        bool failed = ferror(stream);
        if (fclose(stream) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}

static const char *const verb_words[_VERB_MAX] = {
        [VERB_ONLINE] = "online",
        [VERB_OFFLINE] = "offline",
        [VERB_REMOVE] = "remove",
};

static const char *const reason_words[_REFUSAL_REASON_MAX] = {
        [REASON_SPLITS_MAPPING] = "splits-mapping",
        [REASON_BOOT_MEMORY] = "boot-memory",
        [REASON_NO_SUCH_BLOCK] = "no-such-block",
        [REASON_HOLE] = "hole",
        [REASON_NOT_ENOUGH] = "not-enough",
        [REASON_NO_HEADROOM] = "no-headroom",
        [REASON_WHOLE_DEVICE] = "whole-device",
        [REASON_NOT_REMOVABLE] = "not-removable",
        [REASON_HYPERVISOR_OWNED] = "hypervisor-owned",
        [REASON_ZONE] = "zone",
        [REASON_POLICY] = "policy",
        [REASON_INHIBITED] = "inhibited",
        [REASON_IN_PROGRESS] = "in-progress",
        [REASON_STALE] = "stale",
};

static const char *const side_effect_words[_SIDE_EFFECT_KIND_MAX] = {
        [SIDE_EFFECT_HUGE_PAGES] = "huge-pages",
        [SIDE_EFFECT_EMPTY_NODE] = "empty-node",
        [SIDE_EFFECT_PARTIAL] = "partial",
};

const char *verb_to_string(enum verb verb) {
        return word_of(verb_words, _VERB_MAX, (int)verb);
}

int verb_from_string(const char *word, enum verb *ret) {
        int i = index_of_word(verb_words, _VERB_MAX, word);
        if (i < 0)
                return i;

        *ret = (enum verb)i;
        return 0;
}

const char *refusal_reason_to_string(enum refusal_reason reason) {
        return word_of(reason_words, _REFUSAL_REASON_MAX, (int)reason);
}

const char *side_effect_kind_to_string(enum side_effect_kind kind) {
        return word_of(side_effect_words, _SIDE_EFFECT_KIND_MAX, (int)kind);
}

const char *step_state_word(const struct step *step) {
        if (step->target == BLOCK_OFFLINE)
                return "offline";
        switch (step->zone) {
        case ONLINE_ZONE_KERNEL:
                return "online_kernel";
        case ONLINE_ZONE_MOVABLE:
                return "online_movable";
        case ONLINE_ZONE_DEFAULT:
        default:
                return "online";
        }
}
