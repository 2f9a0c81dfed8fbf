/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "refusal.h"

void say(struct words *words, const char *format, ...) {
        va_list args;

        va_start(args, format);
        if (vfprintf(words->stream, format, args) < 0)
                words->error = -ENOMEM;
        va_end(args);
}

void say_blocks(struct words *words, struct span span) {
        _cleanup_free_ char *blocks = format_blocks(span);
        char size[FORMAT_BYTES_MAX];

        if (!blocks) {
                words->error = -ENOMEM;
                return;
        }
        say(words, "%s (%s)", blocks, format_bytes(span.n_blocks * words->planner->inventory->block_size_bytes, size));
}

char *format_units(const struct planner *planner, struct span span) {
        const struct extent_list *extents = &planner->inventory->extents;
        struct span_list present = { 0 };
        int r = 0;

        for (uint64_t block = span.first_block; r == 0 && block < span_end(&span);) {
                struct span unit = inventory_unit_of(planner->inventory, block);
                for (size_t i = extent_list_lower_bound(extents, unit.first_block);
                     r == 0 && i < extents->n && extents->items[i].first_block < span_end(&unit); i++)
                        r = span_list_add(&present, span_intersect(extent_span(&extents->items[i]), unit));
                block = MAX(span_end(&unit), block + 1);
        }
        char *text = r == 0 ? format_span_list(&present) : NULL;
        span_list_clear(&present);
        return text;
}

void show(struct words *words, const char *label, const char *command) {
        say(words, "\n  %-19s %s", label, command);
}

/* Selectors as one string are words with spaces between. Returns 0, -EINVAL, -ENOMEM. */
static int parse_selectors(const char *text, uint64_t block_size_bytes, struct selector_list *ret) {
        _cleanup_free_ char *copy = strdup(text), *message = NULL;
        _cleanup_free_ char **words = NULL;
        size_t n = 0, n_allocated = 0;

        if (!copy)
                return -ENOMEM;
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " "));) {
                char **grown = array_grow(words, &n_allocated, n + 1, sizeof(*words));
                if (!grown)
                        return -ENOMEM;
                words = grown;
                words[n++] = word;
        }
        return selector_list_parse(words, n, block_size_bytes, ret, &message);
}

static bool keeps_zone(const struct planner *planner, enum verb verb, enum way_flags flags) {
        return verb == VERB_ONLINE && planner->request->has_zone && !(flags & WAY_THEIR_ZONE);
}

/* Whether a request would be accepted and change something. Returns 1, 0, -ENOMEM. */
static int try_request(const struct planner *planner, enum verb verb, enum way_flags flags, const char *selectors) {
        _cleanup_(selector_list_clear) struct selector_list list = { 0 };

        int r = parse_selectors(selectors, planner->inventory->block_size_bytes, &list);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        const struct request request = {
                .verb = verb,
                .selectors = &list,
                .partial = flags & WAY_PARTIAL,
                .ignore_headroom = flags & WAY_IGNORE_HEADROOM,
                .empty_node = flags & WAY_EMPTY_NODE,
                .has_zone = keeps_zone(planner, verb, flags),
                .zone = planner->request->zone,
                .hint = planner->request->hint,
                .hint_userdata = planner->request->hint_userdata,
                .udev_policy = planner->request->udev_policy,
                .udev_policy_userdata = planner->request->udev_policy_userdata,
        };
        struct planner trial;
        r = planner_decide(planner->inventory, planner->policies, &request, true, &trial);
        if (r < 0)
                return r;
        /* Without --best-effort a plan that is refused does nothing. */
        bool changes_something = trial.plan->n_steps > 0 || trial.plan->n_removals > 0;
        planner_clear(&trial);
        return changes_something;
}

static void write_way_out(struct words *words, const char *label, enum verb verb, enum way_flags flags,
                          const char *selectors, const char *note) {
        const struct planner *planner = words->planner;
        bool has_zone = keeps_zone(planner, verb, flags);

        char **suggestions = reallocarray(words->suggestions, words->n_suggestions + 1, sizeof(*suggestions));
        if (!suggestions) {
                words->error = -ENOMEM;
                return;
        }
        words->suggestions = suggestions;

        char *command = format_string(
                "memctl %s%s%s%s%s%s %s", verb_to_string(verb), flags & WAY_PARTIAL ? " --partial" : "",
                flags & WAY_EMPTY_NODE ? " --empty-node" : "", flags & WAY_IGNORE_HEADROOM ? " --ignore-headroom" : "",
                has_zone ? " --zone=" : "", has_zone ? online_zone_to_string(planner->request->zone) : "", selectors);
        if (!command) {
                words->error = -ENOMEM;
                return;
        }
        suggestions[words->n_suggestions++] = command;
        show(words, label, command);
        if (note)
                say(words, "   (%s)", note);
}

bool offer(struct words *words, const char *label, enum verb verb, enum way_flags flags, const char *selectors,
           const char *note) {
        const struct request *request = words->planner->request;
        enum way_flags allowed =
                (request->ignore_headroom ? WAY_IGNORE_HEADROOM : 0U) | (request->empty_node ? WAY_EMPTY_NODE : 0U);
        const enum way_flags variants[] = { flags, flags | allowed, flags | allowed | WAY_EMPTY_NODE };

        for (size_t i = 0; i < ARRAY_SIZE(variants) && words->error == 0; i++) {
                if (i > 0 && variants[i] == variants[i - 1])
                        continue;
                int r = try_request(words->planner, verb, variants[i], selectors);
                if (r < 0)
                        words->error = r;
                if (r > 0) {
                        write_way_out(words, label, verb, variants[i], selectors, note);
                        return true;
                }
        }
        return false;
}

bool offer_blocks(struct words *words, const char *label, enum verb verb, enum way_flags flags, struct span span,
                  const char *note) {
        _cleanup_free_ char *blocks = format_blocks(span);

        if (!blocks) {
                words->error = -ENOMEM;
                return false;
        }
        return offer(words, label, verb, flags, blocks, note);
}
