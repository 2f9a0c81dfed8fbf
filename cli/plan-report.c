/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan-report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exit-status.h"
#include "output.h"
#include "util.h"

int plan_exit_status(const struct plan *plan) {
        /* With best effort refused units are dropped and the rest goes. */
        if (plan->n_refusals == 0)
                return STATUS_DONE;
        if (plan->n_steps > 0 || plan->n_removals > 0)
                return STATUS_PARTIAL;

        return plan_refused_only_splits(plan) ? STATUS_SPLITS_MAPPING : STATUS_REFUSED;
}

static int add_suggestions(json_object *object, const struct refusal *refusal) {
        json_object *suggestions = json_object_new_array();

        for (size_t i = 0; suggestions && i < refusal->n_suggestions; i++)
                if (json_append(suggestions, json_object_new_string(refusal->suggestions[i]), 0) < 0) {
                        json_object_put(suggestions);
                        return -ENOMEM;
                }

        return json_add(object, "suggestions", suggestions);
}

json_object *plan_refusals_to_json(const struct plan *plan, uint64_t block_size_bytes) {
        json_object *refusals = json_object_new_array();

        for (size_t i = 0; refusals && i < plan->n_refusals; i++) {
                const struct refusal *refusal = plan->refusals + i;
                json_object *object = json_object_new_object();
                int r = object ? json_add_span(object, refusal->span, block_size_bytes) : -ENOMEM;

                if (r == 0)
                        r = json_add_text(object, "reason", refusal_reason_to_string(refusal->reason));
                if (r == 0)
                        r = json_add_text(object, "text", refusal->text);
                if (r == 0)
                        r = add_suggestions(object, refusal);
                if (json_append(refusals, object, r) < 0) {
                        json_object_put(refusals);
                        return NULL;
                }
        }

        return refusals;
}

static int add_step(json_object *steps, struct span span, const char *state, uint64_t block_size_bytes) {
        json_object *object = json_object_new_object();
        int r = object ? json_add_span(object, span, block_size_bytes) : -ENOMEM;

        if (r == 0)
                r = json_add_text(object, "state", state);
        return json_append(steps, object, r);
}

static json_object *steps_to_json(const struct plan *plan, uint64_t block_size_bytes) {
        json_object *steps = json_object_new_array();
        int r = steps ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < plan->n_steps; i++)
                r = add_step(steps, plan->steps[i].span, step_state_word(plan->steps + i), block_size_bytes);
        for (size_t i = 0; r == 0 && i < plan->n_removals; i++)
                r = add_step(steps, plan->removals[i].span, "removed", block_size_bytes);
        if (r < 0) {
                json_object_put(steps);
                return NULL;
        }

        return steps;
}

static json_object *side_effects_to_json(const struct plan *plan) {
        json_object *effects = json_object_new_array();

        for (size_t i = 0; effects && i < plan->n_side_effects; i++) {
                const struct side_effect *effect = plan->side_effects + i;
                json_object *object = json_object_new_object();
                int r = json_add_text(object, "kind", side_effect_kind_to_string(effect->kind));

                if (r == 0)
                        r = json_add_number(object, "amount", effect->amount);
                if (r == 0)
                        r = json_add_text(object, "text", effect->text);
                if (json_append(effects, object, r) < 0) {
                        json_object_put(effects);
                        return NULL;
                }
        }

        return effects;
}

/* What changes in the end: of a removal what goes, however much of that is offline already. */
static uint64_t changed_bytes(const struct plan *plan, uint64_t block_size_bytes) {
        uint64_t n_blocks = 0;

        if (plan->n_removals == 0)
                return plan->bytes_total;
        for (size_t i = 0; i < plan->n_removals; i++)
                n_blocks += plan->removals[i].span.n_blocks;
        return n_blocks * block_size_bytes;
}

static int report_json(enum verb verb, const struct plan *plan, uint64_t block_size_bytes) {
        json_object *document = document_new("memctl.plan", 1);
        int r;

        r = document ? json_add_text(document, "verb", verb_to_string(verb)) : -ENOMEM;
        if (r == 0)
                r = json_add_number(document, "exit_status", (uint64_t)plan_exit_status(plan));
        if (r == 0)
                r = json_add_number(document, "bytes_total", changed_bytes(plan, block_size_bytes));
        if (r == 0)
                r = json_add(document, "steps", steps_to_json(plan, block_size_bytes));
        if (r == 0)
                r = json_add(document, "refusals", plan_refusals_to_json(plan, block_size_bytes));
        if (r == 0)
                r = json_add(document, "side_effects", side_effects_to_json(plan));
        if (r < 0) {
                json_object_put(document);
                return r;
        }

        return document_print(document, false);
}

static const char *step_text(const struct step *step) {
        if (step->target == BLOCK_OFFLINE)
                return "goes offline";
        if (step->zone == ONLINE_ZONE_MOVABLE)
                return "comes online in zone Movable";
        if (step->zone == ONLINE_ZONE_KERNEL)
                return "comes online in a kernel zone";

        return "comes online";
}

static int print_steps(struct span span, size_t n_steps, const char *text, uint64_t block_size_bytes) {
        _cleanup_free_ char *blocks = format_blocks(span);
        char size[FORMAT_BYTES_MAX];

        if (!blocks)
                return -ENOMEM;
        printf("  %-20s %8s  %s", blocks, format_bytes(span.n_blocks * block_size_bytes, size), text);
        if (n_steps > 1)
                printf(", in %zu steps", n_steps);
        putchar('\n');
        return 0;
}

/* How many steps from this one on are a run: each goes on where the last one ended, and does the same. */
static size_t run_of_steps(const struct step *steps, size_t n_steps, struct span *ret_span) {
        struct span span = steps[0].span;
        size_t n = 1;

        while (n < n_steps && steps[n].span.first_block == span_end(&span) &&
               strcmp(step_text(steps + n), step_text(steps)) == 0)
                span.n_blocks += steps[n++].span.n_blocks;
        *ret_span = span;
        return n;
}

static int report_text(enum verb verb, const struct plan *plan, uint64_t block_size_bytes) {
        bool is_empty = plan->n_steps == 0 && plan->n_removals == 0;
        char size[FORMAT_BYTES_MAX];
        int r = 0;

        for (size_t i = 0; i < plan->n_refusals; i++)
                print_refusal(stderr, plan->refusals[i].text);

        if (is_empty && plan->n_refusals == 0)
                printf("%s: nothing to do\n", verb_to_string(verb));
        if (!is_empty)
                /* memctld has an order of its own for what comes online. */
                printf("%s: %s would change%s:\n", verb_to_string(verb),
                       format_bytes(changed_bytes(plan, block_size_bytes), size),
                       verb == VERB_ONLINE ? "" : ", in this order");
        for (size_t i = 0, n; r == 0 && i < plan->n_steps; i += n) {
                struct span span;

                n = run_of_steps(plan->steps + i, plan->n_steps - i, &span);
                r = print_steps(span, n, step_text(plan->steps + i), block_size_bytes);
        }
        for (size_t i = 0; r == 0 && i < plan->n_removals; i++)
                r = print_steps(plan->removals[i].span, 1, "is removed by its driver", block_size_bytes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n_side_effects; i++)
                printf("side effect: %s\n", plan->side_effects[i].text);
        if (!is_empty)
                puts("Nothing was changed.");

        return 0;
}

int plan_report(const struct options *options, enum verb verb, const struct plan *plan, uint64_t block_size_bytes) {
        int r;

        r = options->format == FORMAT_JSON ? report_json(verb, plan, block_size_bytes)
                                           : report_text(verb, plan, block_size_bytes);
        return r < 0 ? out_of_memory() : plan_exit_status(plan);
}
