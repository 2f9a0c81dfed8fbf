/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-record.h"

#include <errno.h>
#include <json.h>
#include <string.h>

#include "cleanup.h"
#include "runtime.h"

/* Writing */

static struct json_object *number(uint64_t value) {
        return json_object_new_uint64(value);
}

static struct json_object *step_to_json(const struct job_step *step, const struct inventory *inventory) {
        struct json_object *array = json_object_new_array();
        const struct range *range = inventory_range_of(inventory, step->step.span.first_block);
        char name[RANGE_NAME_MAX] = "";

        if (range)
                range_name(range, name);
        json_object_array_add(array, number(step->step.span.first_block));
        json_object_array_add(array, number(step->step.span.n_blocks));
        json_object_array_add(array, json_object_new_string(step_state_word(&step->step)));
        json_object_array_add(array, number(step->unit.first_block));
        json_object_array_add(array, number(step->unit.n_blocks));
        json_object_array_add(array, json_object_new_string(name));
        return array;
}

static struct json_object *steps_to_json(const struct job_step *steps, size_t n, const struct inventory *inventory) {
        struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < n; i++)
                json_object_array_add(array, step_to_json(&steps[i], inventory));
        return array;
}

static struct json_object *removals_to_json(const struct job *job) {
        struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < job->n_removals; i++) {
                const struct job_removal *removal = &job->removals[i];
                struct json_object *entry = json_object_new_array();

                json_object_array_add(entry, number(removal->span.first_block));
                json_object_array_add(entry, number(removal->span.n_blocks));
                json_object_array_add(entry, json_object_new_string(range_driver_to_string(removal->driver)));
                json_object_array_add(entry, json_object_new_string(removal->device ? removal->device : ""));
                json_object_array_add(entry, json_object_new_string(removal->range));
                json_object_array_add(array, entry);
        }
        return array;
}

static struct json_object *selectors_to_json(char *const *selectors) {
        struct json_object *array = json_object_new_array();

        for (; selectors && *selectors; selectors++)
                json_object_array_add(array, json_object_new_string(*selectors));
        return array;
}

static char *to_line(struct json_object *object) {
        char *line = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));

        json_object_put(object);
        return line;
}

char *job_record_begin(const struct job *job, const struct inventory *inventory) {
        struct json_object *object = json_object_new_object();
        const struct job_settings *settings = &job->settings;

        json_object_object_add(object, "boot", json_object_new_string(runtime_boot_id()));
        json_object_object_add(object, "job", number(job->id));
        json_object_object_add(object, "verb", json_object_new_string(verb_to_string(job->change.verb)));
        json_object_object_add(object, "selectors", selectors_to_json(job->change.selectors));
        if (job->change.request_id)
                json_object_object_add(object, "request-id", json_object_new_string(job->change.request_id));
        json_object_object_add(object, "uid", number(job->change.uid));
        json_object_object_add(object, "best-effort", json_object_new_boolean(job->change.best_effort));
        json_object_object_add(object, "keeps-parts", json_object_new_boolean(settings->keeps_parts));
        json_object_object_add(object, "rollback-timeout-usec", number(settings->rollback_timeout_usec));
        json_object_object_add(object, "block-size", number(settings->block_size_bytes));
        json_object_object_add(object, "steps", steps_to_json(job->steps, job->n_steps, inventory));
        json_object_object_add(object, "spares", steps_to_json(job->spares, job->n_spares, inventory));
        if (job->n_removals > 0)
                json_object_object_add(object, "removals", removals_to_json(job));
        return to_line(object);
}

char *job_record_end(const struct job *job, uint64_t boottime_usec) {
        struct json_object *object = json_object_new_object(), *results = json_object_new_array();

        json_object_object_add(object, "end", json_object_new_string(job_result_to_string(job->result)));
        json_object_object_add(object, "boottime-usec", number(boottime_usec));
        json_object_object_add(object, "bytes-total", number(job->bytes_total));
        json_object_object_add(object, "bytes-done", number(job->bytes_done));
        for (size_t i = 0; i < job->results.n; i++) {
                const struct result_run *run = &job->results.items[i];
                struct json_object *array = json_object_new_array();

                json_object_array_add(array, number(run->span.first_block));
                json_object_array_add(array, number(run->span.n_blocks));
                json_object_array_add(array, json_object_new_string(block_outcome_to_string(run->outcome)));
                json_object_array_add(array, json_object_new_int(run->error));
                json_object_array_add(results, array);
        }
        json_object_object_add(object, "results", results);
        return to_line(object);
}

/* Reading. What is missing or of another type reads as 0 or "", and is refused where that is no sense. */

static uint64_t get_number(struct json_object *object, const char *key) {
        return json_object_get_uint64(json_object_object_get(object, key));
}

static const char *get_word(struct json_object *object, const char *key) {
        struct json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static uint64_t number_at(struct json_object *array, size_t i) {
        return json_object_get_uint64(json_object_array_get_idx(array, i));
}

static const char *word_at(struct json_object *array, size_t i) {
        struct json_object *value = json_object_array_get_idx(array, i);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static size_t length_of(struct json_object *array) {
        return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static int step_from_word(const char *word, struct step *ret) {
        if (strcmp(word, "offline") == 0) {
                ret->target = BLOCK_OFFLINE;
                return 0;
        }
        for (int zone = 0; zone < _ONLINE_ZONE_MAX; zone++) {
                struct step online = { .span = ret->span, .target = BLOCK_ONLINE, .zone = (enum online_zone)zone };

                if (strcmp(word, step_state_word(&online)) == 0) {
                        *ret = online;
                        return 0;
                }
        }
        return -EBADMSG;
}

static bool is_same_range(const struct inventory *inventory, uint64_t block, const char *recorded) {
        const struct range *range = inventory_range_of(inventory, block);
        char name[RANGE_NAME_MAX] = "";

        if (range)
                range_name(range, name);
        return strcmp(name, recorded) == 0;
}

/* Returns an array the caller frees, of steps whose range is still what it was. */
static int steps_from_json(struct json_object *array, const struct inventory *inventory, struct job_step **ret,
                           size_t *ret_n) {
        size_t n_recorded = length_of(array), n = 0;
        struct job_step *steps = calloc(n_recorded + 1, sizeof(*steps));

        if (!steps)
                return -ENOMEM;
        for (size_t i = 0; i < n_recorded; i++) {
                struct json_object *entry = json_object_array_get_idx(array, i);
                struct job_step *step = &steps[n];

                if (length_of(entry) != 6) {
                        free(steps);
                        return -EBADMSG;
                }
                step->step.span = (struct span){ number_at(entry, 0), number_at(entry, 1) };
                step->unit = (struct span){ number_at(entry, 3), number_at(entry, 4) };
                if (step_from_word(word_at(entry, 2), &step->step) < 0 || step->step.span.n_blocks == 0) {
                        free(steps);
                        return -EBADMSG;
                }
                if (is_same_range(inventory, step->step.span.first_block, word_at(entry, 5)))
                        n++;
        }
        *ret = steps;
        *ret_n = n;
        return 0;
}

static int change_from_json(struct json_object *record, struct change *ret) {
        struct json_object *selectors = json_object_object_get(record, "selectors");
        size_t n = length_of(selectors);

        if (verb_from_string(get_word(record, "verb"), &ret->verb) < 0)
                return -EBADMSG;
        ret->uid = (uid_t)get_number(record, "uid");
        ret->best_effort = json_object_get_boolean(json_object_object_get(record, "best-effort"));
        ret->timeout_usec = USEC_INFINITY;
        ret->selectors = calloc(n + 1, sizeof(*ret->selectors));
        if (!ret->selectors)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                ret->selectors[i] = strdup(word_at(selectors, i));
                if (!ret->selectors[i])
                        return -ENOMEM;
        }
        if (get_word(record, "request-id")[0] != '\0') {
                ret->request_id = strdup(get_word(record, "request-id"));
                if (!ret->request_id)
                        return -ENOMEM;
        }
        return 0;
}

static int driver_from_word(const char *word, enum range_driver *ret) {
        for (int driver = 0; driver < _RANGE_DRIVER_MAX; driver++)
                if (strcmp(range_driver_to_string((enum range_driver)driver), word) == 0) {
                        *ret = (enum range_driver)driver;
                        return 0;
                }
        return -EBADMSG;
}

/* All of them, also what is gone: that it is gone is what is to be found out. */
static int removals_from_json(struct json_object *array, struct job *job) {
        for (size_t i = 0; i < length_of(array); i++) {
                struct json_object *entry = json_object_array_get_idx(array, i);
                struct removal removal = { .span = { number_at(entry, 0), number_at(entry, 1) } };
                const char *device = word_at(entry, 3);
                int r;

                if (length_of(entry) != 5 || driver_from_word(word_at(entry, 2), &removal.driver) < 0 ||
                    removal.span.n_blocks == 0)
                        return -EBADMSG;
                removal.device = device[0] != '\0' ? (char *)device : NULL;
                r = job_add_removal(job, &removal, word_at(entry, 4));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Returns 0 and a job with its steps. Takes over what `change` holds if it succeeds. */
static int job_with_steps(sd_event *event, struct json_object *record, const struct inventory *inventory,
                          const struct job_callbacks *callbacks, void *userdata, struct change *change,
                          struct job **ret) {
        struct job_settings settings = {
                .keeps_parts = json_object_get_boolean(json_object_object_get(record, "keeps-parts")),
                .block_timeout_usec = USEC_INFINITY,
                .rollback_timeout_usec = get_number(record, "rollback-timeout-usec"),
                .block_size_bytes = get_number(record, "block-size"),
        };
        struct job_step *steps = NULL, *spares = NULL;
        size_t n_steps = 0, n_spares = 0;
        struct job *job = NULL;
        int r;

        r = steps_from_json(json_object_object_get(record, "steps"), inventory, &steps, &n_steps);
        if (r == 0)
                r = steps_from_json(json_object_object_get(record, "spares"), inventory, &spares, &n_spares);
        if (r == 0)
                r = job_new(event, get_number(record, "job"), change, callbacks, userdata, &job);
        if (r < 0) {
                free(steps);
                free(spares);
                return r;
        }
        r = job_plan(job, &settings, steps, n_steps, spares, n_spares);
        if (r == 0)
                r = removals_from_json(json_object_object_get(record, "removals"), job);
        if (r < 0) {
                job_free(job);
                return r;
        }
        *ret = job;
        return 0;
}

static int job_from_record(sd_event *event, struct json_object *record, const struct inventory *inventory,
                           const struct job_callbacks *callbacks, void *userdata, struct job **ret) {
        struct change change = { 0 };
        int r;

        if (strcmp(get_word(record, "boot"), runtime_boot_id()) != 0)
                return -ESTALE;
        if (get_number(record, "block-size") != inventory->block_size_bytes || get_number(record, "job") == 0)
                return -EBADMSG;
        r = change_from_json(record, &change);
        if (r == 0)
                r = job_with_steps(event, record, inventory, callbacks, userdata, &change, ret);
        change_clear(&change);
        return r;
}

/* The first intent of a block tells what it was before the job. */
static int take_intent(struct job *job, struct json_object *line) {
        struct extent prior = {
                .first_block = get_number(line, "intent"), .n_blocks = 1, .node = NODE_NONE, .range = RANGE_NONE
        };
        struct span span = { prior.first_block, 1 };
        int r;

        if (!span_list_contains(&job->blocks, prior.first_block) || extent_list_find(&job->prior, prior.first_block))
                return 0;
        if (block_state_from_string(get_word(line, "state"), &prior.state) < 0)
                return -EBADMSG;
        /* As job-forward.c takes it. */
        if (prior.state == BLOCK_GOING_OFFLINE)
                prior.state = BLOCK_ONLINE;
        if (block_zone_from_string(get_word(line, "zone"), &prior.zone) < 0)
                prior.zone = ZONE_NONE;
        r = extent_list_set(&job->prior, &prior);
        /* Until its result is read it counts as a write that nobody saw the end of. */
        return r < 0 ? r : result_list_set(&job->results, span, OUTCOME_FAILED, ECHILD);
}

static int take_result(struct job *job, struct json_object *line) {
        struct span span = { get_number(line, "result"), 1 };
        const struct result_run *run = result_list_find(&job->results, span.first_block);
        int error = (int)get_number(line, "errno");

        /* Only the first: later ones are of the way back. */
        if (!run || run->outcome != OUTCOME_FAILED || run->error != ECHILD)
                return 0;
        return result_list_set(&job->results, span, error ? OUTCOME_FAILED : OUTCOME_DONE, error);
}

/* Told, until the driver's answer is read; an error says that it was not. Of a device one block stands for all. */
static int take_trigger(struct job *job, uint64_t block, bool is_asked) {
        const struct job_removal *told = NULL;

        for (size_t i = 0; i < job->n_removals; i++)
                if (span_intersect(job->removals[i].span, (struct span){ block, 1 }).n_blocks > 0)
                        told = &job->removals[i];
        if (!told)
                return -EBADMSG;
        for (size_t i = 0; i < job->n_removals; i++)
                if (job_removal_same_device(&job->removals[i], told))
                        job->removals[i].is_asked = is_asked;
        job->block = block;
        return 0;
}

static int take_end(struct job *job, struct json_object *line, struct job_history *history) {
        struct json_object *results = json_object_object_get(line, "results");

        history->has_ended = true;
        history->ended_boottime_usec = get_number(line, "boottime-usec");
        job->bytes_total = get_number(line, "bytes-total");
        job->bytes_done = get_number(line, "bytes-done");
        if (job_result_from_string(get_word(line, "end"), &job->result) < 0)
                return -EBADMSG;
        result_list_clear(&job->results);
        for (size_t i = 0; i < length_of(results); i++) {
                struct json_object *entry = json_object_array_get_idx(results, i);
                enum block_outcome outcome;
                int r;

                if (block_outcome_from_string(word_at(entry, 2), &outcome) < 0)
                        return -EBADMSG;
                r = result_list_set(&job->results, (struct span){ number_at(entry, 0), number_at(entry, 1) }, outcome,
                                    (int)number_at(entry, 3));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_line(struct job *job, struct json_object *line, struct job_history *history) {
        if (json_object_object_get(line, "intent")) {
                history->has_ended = false;
                return take_intent(job, line);
        }
        if (json_object_object_get(line, "result"))
                return take_result(job, line);
        if (json_object_object_get(line, "trigger"))
                return take_trigger(job, get_number(line, "trigger"), true);
        if (json_object_object_get(line, "triggered"))
                return take_trigger(job, get_number(line, "triggered"), get_number(line, "errno") == 0);
        /* The worker's own: huge-pages.h. */
        if (json_object_object_get(line, "pool") || json_object_object_get(line, "pools-restored"))
                return 0;
        if (json_object_object_get(line, "end"))
                return take_end(job, line, history);
        return -EBADMSG;
}

static struct json_object *parse_line(const char *line, size_t length) {
        char *copy = strndup(line, length);
        struct json_object *object = copy ? json_tokener_parse(copy) : NULL;

        free(copy);
        if (object && !json_object_is_type(object, json_type_object)) {
                json_object_put(object);
                return NULL;
        }
        return object;
}

int job_record_load(sd_event *event, const char *text, const struct inventory *inventory,
                    const struct job_callbacks *callbacks, void *userdata, struct job **ret,
                    struct job_history *ret_history) {
        struct job_history history = { 0 };
        struct job *job = NULL;
        const char *end;

        /* A line without its end was being written when everything stopped: it never counted. */
        for (; (end = strchr(text, '\n')); text = end + 1) {
                struct json_object *line = parse_line(text, (size_t)(end - text));
                int r = !line ? -EBADMSG
                        : job ? take_line(job, line, &history)
                              : job_from_record(event, line, inventory, callbacks, userdata, &job);

                json_object_put(line);
                if (r < 0) {
                        job_free(job);
                        return r;
                }
        }
        if (!job)
                return -EBADMSG;
        *ret = job;
        *ret_history = history;
        return 0;
}
