/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inhibitors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "log.h"
#include "runtime.h"
#include "selector.h"

#define INHIBITORS_FILE     "inhibitors"
#define INHIBITORS_PER_USER 64
#define INHIBITORS_MAX      256 /* FileDescriptorStoreMax= of the unit */
#define FD_NAME_PREFIX      "inhibitor-"

struct held {
        struct inhibitor inhibitor;
        struct inhibitors *owner;
        int fd; /* -1: a record whose fd has not come back yet */
        sd_event_source *source;
};

struct inhibitors {
        sd_event *event;
        inhibitors_released_fn released;
        void *userdata;
        struct held **held; /* oldest first */
        size_t n, n_allocated;
        uint64_t next_id;
        struct held **recorded; /* of the process before, until their fds are restored */
        size_t n_recorded;
};

static const char *const mode_words[_INHIBIT_MODE_MAX] = {
        [INHIBIT_BLOCK] = "block",
        [INHIBIT_DELAY] = "delay",
};

const char *inhibit_mode_to_string(enum inhibit_mode mode) {
        return word_of(mode_words, _INHIBIT_MODE_MAX, (int)mode);
}

int inhibit_mode_from_string(const char *word, enum inhibit_mode *ret) {
        int index = index_of_word(mode_words, _INHIBIT_MODE_MAX, word);

        if (index < 0)
                return index;
        *ret = (enum inhibit_mode)index;
        return 0;
}

int inhibit_what_from_string(const char *words, unsigned *ret_verbs) {
        _cleanup_free_ char *copy = strdup(words);
        char *rest = copy, *word;
        unsigned verbs = 0;

        if (!copy)
                return -ENOMEM;
        while ((word = strsep(&rest, ":"))) {
                enum verb verb;

                if (verb_from_string(word, &verb) < 0)
                        return -EINVAL;
                verbs |= 1U << verb;
        }
        *ret_verbs = verbs;
        return 0;
}

char *inhibit_what_to_string(unsigned verbs) {
        char *words = strdup("");

        for (int verb = 0; words && verb < _VERB_MAX; verb++)
                if (verbs & 1U << verb) {
                        char *longer =
                                format_string("%s%s%s", words, words[0] ? ":" : "", verb_to_string((enum verb)verb));

                        free(words);
                        words = longer;
                }
        return words;
}

void inhibitor_clear(struct inhibitor *inhibitor) {
        for (char **selector = inhibitor->selectors; selector && *selector; selector++)
                free(*selector);
        free(inhibitor->selectors);
        free(inhibitor->who);
        free(inhibitor->why);
        *inhibitor = (struct inhibitor){ 0 };
}

static struct held *held_free(struct held *held) {
        if (!held)
                return NULL;
        inhibitor_clear(&held->inhibitor);
        sd_event_source_disable_unref(held->source);
        if (held->fd >= 0)
                close(held->fd);
        free(held);
        return NULL;
}

const struct inhibitor *inhibitors_get(const struct inhibitors *inhibitors, size_t n) {
        return n < inhibitors->n ? &inhibitors->held[n]->inhibitor : NULL;
}

int inhibitor_blocks(const struct inhibitor *inhibitor, const struct inventory *inventory, struct span_list *ret) {
        return blocks_named(inhibitor->selectors, inventory, NULL, ret, NULL, NULL);
}

bool inhibitor_applies(const struct inhibitor *inhibitor, enum inhibit_mode mode, enum verb verb,
                       const struct span_list *blocks, const struct inventory *inventory) {
        struct span_list its = { 0 };
        bool applies = false;

        if (inhibitor->mode != mode || !(inhibitor->verbs & 1U << verb))
                return false;
        if (inhibitor_blocks(inhibitor, inventory, &its) < 0)
                return true;
        for (size_t i = 0; i < blocks->n; i++)
                applies = applies || span_list_overlaps(&its, blocks->items[i]);
        span_list_clear(&its);
        return applies;
}

/* What outlives the process: a JSON object a line. */

static struct json_object *to_json(const struct inhibitor *inhibitor) {
        struct json_object *object = json_object_new_object(), *selectors = json_object_new_array();

        for (char **selector = inhibitor->selectors; *selector; selector++)
                json_object_array_add(selectors, json_object_new_string(*selector));
        json_object_object_add(object, "id", json_object_new_uint64(inhibitor->id));
        json_object_object_add(object, "verbs", json_object_new_int64(inhibitor->verbs));
        json_object_object_add(object, "selectors", selectors);
        json_object_object_add(object, "mode", json_object_new_string(inhibit_mode_to_string(inhibitor->mode)));
        json_object_object_add(object, "who", json_object_new_string(inhibitor->who));
        json_object_object_add(object, "why", json_object_new_string(inhibitor->why));
        json_object_object_add(object, "uid", json_object_new_int64(inhibitor->uid));
        json_object_object_add(object, "pid", json_object_new_int64(inhibitor->pid));
        return object;
}

static void save(const struct inhibitors *inhibitors) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        int r = stream ? 0 : -ENOMEM;

        for (size_t i = 0; stream && i < inhibitors->n; i++) {
                struct json_object *object = to_json(&inhibitors->held[i]->inhibitor);

                fprintf(stream, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
                json_object_put(object);
        }
        if (stream)
                r = fclose(stream) == 0 ? runtime_write(INHIBITORS_FILE, text) : -ENOMEM;
        if (r < 0)
                log_errno(LOG_WARNING, r, "Cannot save the inhibitors; they would not outlive a restart");
}

static const char *get_word(struct json_object *object, const char *key) {
        struct json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static int selectors_from_json(struct json_object *array, char ***ret) {
        size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
        char **selectors = calloc(n + 1, sizeof(*selectors));

        if (!selectors)
                return -ENOMEM;
        *ret = selectors;
        for (size_t i = 0; i < n; i++) {
                const char *word = json_object_get_string(json_object_array_get_idx(array, i));

                selectors[i] = strdup(word ? word : "");
                if (!selectors[i])
                        return -ENOMEM;
        }
        return 0;
}

static int from_json(struct json_object *object, struct inhibitor *ret) {
        int r;

        ret->id = json_object_get_uint64(json_object_object_get(object, "id"));
        ret->verbs = (unsigned)json_object_get_int64(json_object_object_get(object, "verbs"));
        ret->uid = (uid_t)json_object_get_int64(json_object_object_get(object, "uid"));
        ret->pid = (pid_t)json_object_get_int64(json_object_object_get(object, "pid"));
        ret->who = strdup(get_word(object, "who"));
        ret->why = strdup(get_word(object, "why"));
        if (!ret->who || !ret->why)
                return -ENOMEM;
        r = inhibit_mode_from_string(get_word(object, "mode"), &ret->mode);
        return r < 0 ? r : selectors_from_json(json_object_object_get(object, "selectors"), &ret->selectors);
}

static int take_record(struct inhibitors *inhibitors, const char *line) {
        struct json_object *object = json_tokener_parse(line);
        struct held **grown, *held;
        int r;

        if (!object)
                return -EBADMSG;
        grown = reallocarray(inhibitors->recorded, inhibitors->n_recorded + 1, sizeof(struct held *));
        held = calloc(1, sizeof(*held));
        if (grown)
                inhibitors->recorded = grown;
        r = grown && held ? from_json(object, &held->inhibitor) : -ENOMEM;
        json_object_put(object);
        if (r < 0) {
                if (held)
                        held->fd = -1;
                held_free(held);
                return r;
        }
        held->owner = inhibitors;
        held->fd = -1;
        grown[inhibitors->n_recorded++] = held;
        inhibitors->next_id = MAX(inhibitors->next_id, held->inhibitor.id + 1);
        return 0;
}

static int load(struct inhibitors *inhibitors) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;

        if (runtime_read(INHIBITORS_FILE, &text) < 0)
                return 0;
        for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                if (take_record(inhibitors, line) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

int inhibitors_new(sd_event *event, inhibitors_released_fn released, void *userdata, struct inhibitors **ret) {
        struct inhibitors *inhibitors = calloc(1, sizeof(*inhibitors));
        int r;

        if (!inhibitors)
                return -ENOMEM;
        *inhibitors = (struct inhibitors){
                .event = sd_event_ref(event),
                .released = released,
                .userdata = userdata,
                .next_id = 1,
        };
        r = load(inhibitors);
        if (r < 0) {
                inhibitors_free(inhibitors);
                return r;
        }
        *ret = inhibitors;
        return 0;
}

struct inhibitors *inhibitors_free(struct inhibitors *inhibitors) {
        if (!inhibitors)
                return NULL;
        for (size_t i = 0; i < inhibitors->n; i++)
                held_free(inhibitors->held[i]);
        for (size_t i = 0; i < inhibitors->n_recorded; i++)
                held_free(inhibitors->recorded[i]);
        free(inhibitors->held);
        free(inhibitors->recorded);
        sd_event_unref(inhibitors->event);
        free(inhibitors);
        return NULL;
}

/* The fd store */

static void store_fd(const struct held *held) {
        _cleanup_free_ char *state = format_string("FDSTORE=1\nFDNAME=" FD_NAME_PREFIX "%" PRIu64, held->inhibitor.id);

        if (state)
                (void)sd_pid_notify_with_fds(0, false, state, &held->fd, 1);
}

/* Those that hang up the service manager forgets by itself; the others it has to be told of. */
static void unstore_fd(const char *name) {
        _cleanup_free_ char *state = format_string("FDSTOREREMOVE=1\nFDNAME=%s", name);

        if (state)
                (void)sd_notify(false, state);
}

static void forget(struct held *held) {
        struct inhibitors *inhibitors = held->owner;
        _cleanup_free_ char *name = format_string(FD_NAME_PREFIX "%" PRIu64, held->inhibitor.id);
        size_t i = 0;

        while (inhibitors->held[i] != held)
                i++;
        memmove(inhibitors->held + i, inhibitors->held + i + 1, (inhibitors->n - i - 1) * sizeof(struct held *));
        inhibitors->n--;
        if (name)
                unstore_fd(name);
        held_free(held);
        save(inhibitors);
}

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct held *held = userdata;
        struct inhibitors *inhibitors = held->owner;

        (void)source, (void)fd, (void)revents;
        log_info("Inhibitor %" PRIu64 " of %s is released", held->inhibitor.id, held->inhibitor.who);
        forget(held);
        inhibitors->released(inhibitors->userdata);
        return 0;
}

/* Takes over `held`, which has its fd. */
static int hold(struct inhibitors *inhibitors, struct held *held) {
        struct held **grown =
                array_grow(inhibitors->held, &inhibitors->n_allocated, inhibitors->n + 1, sizeof(struct held *));
        int r = grown ? 0 : -ENOMEM;

        if (grown)
                inhibitors->held = grown;
        /* Of the events only the hang-up, which epoll always tells. */
        if (r == 0)
                r = sd_event_add_io(inhibitors->event, &held->source, held->fd, EPOLLHUP, on_hangup, held);
        if (r < 0) {
                held_free(held);
                return r;
        }
        inhibitors->held[inhibitors->n++] = held;
        return 0;
}

void inhibitors_restore(struct inhibitors *inhibitors, int fd, const char *name) {
        uint64_t id;

        if (parse_prefixed_number(name, FD_NAME_PREFIX, &id) == 0)
                for (size_t i = 0; i < inhibitors->n_recorded; i++) {
                        struct held *held = inhibitors->recorded[i];

                        if (held->inhibitor.id != id)
                                continue;
                        inhibitors->recorded[i] = inhibitors->recorded[--inhibitors->n_recorded];
                        held->fd = fd;
                        if (hold(inhibitors, held) < 0)
                                (void)log_oom();
                        return;
                }
        log_notice("The service manager kept an fd \"%s\" that nobody here knows; it is closed", name);
        unstore_fd(name);
        close(fd);
}

static bool is_full(const struct inhibitors *inhibitors, uid_t uid) {
        size_t n = 0;

        for (size_t i = 0; i < inhibitors->n; i++)
                n += inhibitors->held[i]->inhibitor.uid == uid;
        return n >= INHIBITORS_PER_USER || inhibitors->n >= INHIBITORS_MAX;
}

int inhibitors_add(struct inhibitors *inhibitors, struct inhibitor *inhibitor, int *ret_fd) {
        struct held *held;
        int ends[2], r;

        if (is_full(inhibitors, inhibitor->uid))
                return -EDQUOT;
        held = calloc(1, sizeof(*held));
        if (!held)
                return -ENOMEM;
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
                free(held);
                return -errno;
        }
        *held = (struct held){ .inhibitor = *inhibitor, .owner = inhibitors, .fd = ends[0] };
        *inhibitor = (struct inhibitor){ 0 };
        held->inhibitor.id = inhibitors->next_id++;
        r = hold(inhibitors, held);
        if (r < 0) {
                close(ends[1]);
                return r;
        }
        store_fd(held);
        save(inhibitors);
        *ret_fd = ends[1];
        return 0;
}
