/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client-read.h"
#include "client.h"

static int add_removal(struct plan *plan, struct span span) {
        struct removal *removals = reallocarray(plan->removals, plan->n_removals + 1, sizeof *removals);

        if (!removals)
                return -ENOMEM;
        plan->removals = removals;
        plan->removals[plan->n_removals++] = (struct removal){ .span = span };
        return 1;
}

static int read_step(sd_bus_message *message, uint64_t block_size_bytes, struct plan *plan) {
        uint64_t start, size_bytes;
        const char *word;
        struct step step = { 0 }, *steps;
        int r;

        r = sd_bus_message_read(message, "(tts)", &start, &size_bytes, &word);
        if (r <= 0)
                return r;

        step.span = (struct span){ start / block_size_bytes, size_bytes / block_size_bytes };
        if (strcmp(word, "removed") == 0)
                return add_removal(plan, step.span);
        step.target = strcmp(word, "offline") == 0 ? BLOCK_OFFLINE : BLOCK_ONLINE;
        while (strcmp(step_state_word(&step), word) != 0)
                if (++step.zone == _ONLINE_ZONE_MAX)
                        return -EBADMSG;

        steps = reallocarray(plan->steps, plan->n_steps + 1, sizeof *steps);
        if (!steps)
                return -ENOMEM;
        plan->steps = steps;
        plan->steps[plan->n_steps++] = step;
        plan->bytes_total += size_bytes;
        return 1;
}

static int read_refusal(sd_bus_message *message, uint64_t block_size_bytes, struct plan *plan) {
        enum refusal_reason reason;
        uint64_t start, size_bytes;
        char *text = NULL, **suggestions = NULL;
        size_t n_suggestions = 0;
        int r;

        r = sd_bus_message_enter_container(message, 'r', "ttssas");
        if (r <= 0)
                return r;

        r = sd_bus_message_read(message, "tt", &start, &size_bytes);
        if (r >= 0)
                r = READ_WORD(message, refusal_reason_to_string, _REFUSAL_REASON_MAX, &reason);
        if (r >= 0)
                r = client_read_text(message, &text);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &suggestions);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0) {
                free(text);
                return r;
        }

        while (suggestions && suggestions[n_suggestions])
                n_suggestions++;
        r = plan_add_refusal(plan, reason, (struct span){ start / block_size_bytes, size_bytes / block_size_bytes },
                             text, suggestions, n_suggestions);
        return r < 0 ? r : 1;
}

static int read_side_effect(sd_bus_message *message, struct plan *plan) {
        struct side_effect effect = { 0 }, *effects;
        int r;

        r = sd_bus_message_enter_container(message, 'r', "sts");
        if (r <= 0)
                return r;

        r = READ_WORD(message, side_effect_kind_to_string, _SIDE_EFFECT_KIND_MAX, &effect.kind);
        if (r >= 0)
                r = sd_bus_message_read(message, "t", &effect.amount);
        if (r >= 0)
                r = client_read_text(message, &effect.text);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);

        effects = r < 0 ? NULL : reallocarray(plan->side_effects, plan->n_side_effects + 1, sizeof *effects);
        if (!effects) {
                free(effect.text);
                return r < 0 ? r : -ENOMEM;
        }
        plan->side_effects = effects;
        plan->side_effects[plan->n_side_effects++] = effect;
        return 1;
}

static int read_plan(sd_bus_message *reply, uint64_t block_size_bytes, struct plan *plan) {
        int r;

        r = sd_bus_message_skip(reply, "t");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(tts)");
        while (r >= 0 && (r = read_step(reply, block_size_bytes, plan)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ttssas)");
        while (r >= 0 && (r = read_refusal(reply, block_size_bytes, plan)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sts)");
        while (r >= 0 && (r = read_side_effect(reply, plan)) > 0)
                ;

        return r < 0 ? r : 0;
}

int client_settle(struct client *client, sd_bus_message_handler_t answered, void *userdata) {
        /* A plan is made for what is when it is asked for: any plan will do. */
        int r = sd_bus_call_method_async(client->bus, NULL, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, "Plan",
                                         answered, userdata, "sasa{sv}", "online", 1, "0", 0);

        return r < 0 ? r : 0;
}

int client_plan(struct client *client, const struct options *options, enum verb verb, char **words, struct plan **ret,
                sd_bus_error *error) {
        sd_bus_message *message = NULL, *reply = NULL;
        struct plan *plan = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &message, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER,
                                           "Plan");
        if (r >= 0)
                r = client_append_request(message, options, verb, words, true);
        if (r >= 0)
                r = sd_bus_call(client->bus, message, 0, error, &reply);
        if (r >= 0) {
                plan = calloc(1, sizeof *plan);
                r = plan ? read_plan(reply, client->block_size_bytes, plan) : -ENOMEM;
        }

        sd_bus_message_unref(message);
        sd_bus_message_unref(reply);
        if (r < 0) {
                plan_free(plan);
                return r;
        }

        *ret = plan;
        return 0;
}
