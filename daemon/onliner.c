/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "onliner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "runtime.h"

#define HANDLED_FILE "ranges-onlined"

/* udevd that died leaves its socket: then nobody will ever say which policy a rule chose. */
#define UDEV_TIMEOUT_USEC (10 * USEC_PER_SEC)
/* memoryN/firmware_node comes after the range's event and has none of its own. */
#define DRIVER_WAIT_USEC (1 * USEC_PER_SEC)
/* An estimated range grows while its blocks appear. */
#define ESTIMATE_WAIT_USEC (1 * USEC_PER_SEC)

struct waiting {
        char name[RANGE_NAME_MAX];
        uint64_t since_usec;
        bool looked_again;
        bool is_there; /* of this look */
};

struct handled {
        char name[RANGE_NAME_MAX];
        struct span span; /* of an estimate; none of the kernel's, which gives no number again */
};

struct onliner {
        sd_event *event;
        struct onliner_callbacks callbacks;
        void *userdata;
        struct handled *handled; /* ranges that were dealt with in this boot */
        size_t n_handled, n_handled_allocated;
        struct waiting *waiting;
        size_t n_waiting, n_waiting_allocated;
        sd_event_source *timer;
        bool has_warned; /* that the kernel onlines by itself: a driver may add a thousand ranges */
};

static uint64_t now_usec(const struct onliner *onliner) {
        uint64_t usec = 0;

        (void)sd_event_now(onliner->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

static bool is_handled(const struct onliner *onliner, const char *name) {
        for (size_t i = 0; i < onliner->n_handled; i++)
                if (strcmp(onliner->handled[i].name, name) == 0)
                        return true;
        return false;
}

/* Whether an estimate is what is left of one that was dealt with: nobody marks it as the kernel does its remainders. */
static bool is_rest(const struct onliner *onliner, const struct range *range) {
        for (size_t i = 0; i < onliner->n_handled; i++)
                if (onliner->handled[i].span.n_blocks > range->span.n_blocks &&
                    span_intersect(onliner->handled[i].span, range->span).n_blocks == range->span.n_blocks)
                        return true;
        return false;
}

static int remember(struct onliner *onliner, const char *name, struct span span) {
        struct handled *grown =
                array_grow(onliner->handled, &onliner->n_handled_allocated, onliner->n_handled + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        onliner->handled = grown;
        grown[onliner->n_handled] = (struct handled){ .span = span };
        snprintf(grown[onliner->n_handled].name, sizeof(grown->name), "%s", name);
        onliner->n_handled++;
        return 0;
}

static int save(const struct onliner *onliner) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return -ENOMEM;
        for (size_t i = 0; i < onliner->n_handled; i++) {
                const struct handled *handled = &onliner->handled[i];

                fputs(handled->name, stream);
                if (handled->span.n_blocks > 0)
                        fprintf(stream, " %" PRIu64 " %" PRIu64, handled->span.first_block, handled->span.n_blocks);
                fputc('\n', stream);
        }
        return fclose(stream) == 0 ? runtime_write(HANDLED_FILE, text) : -ENOMEM;
}

/* "NAME" a line, of an estimate "NAME FIRST_BLOCK N_BLOCKS". */
static int load(struct onliner *onliner) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        if (runtime_read(HANDLED_FILE, &text) < 0)
                return 0;
        for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                struct span span = { 0 };
                char *blocks = strchr(line, ' ');

                if (blocks) {
                        *blocks++ = '\0';
                        if (sscanf(blocks, "%" SCNu64 " %" SCNu64, &span.first_block, &span.n_blocks) != 2)
                                span = (struct span){ 0 };
                }
                r = remember(onliner, line, span);
                if (r < 0)
                        return r;
        }
        return 0;
}

static struct waiting *find_waiting(struct onliner *onliner, const char *name) {
        for (size_t i = 0; i < onliner->n_waiting; i++)
                if (strcmp(onliner->waiting[i].name, name) == 0)
                        return &onliner->waiting[i];
        return NULL;
}

static struct waiting *add_waiting(struct onliner *onliner, const char *name) {
        struct waiting *waiting = find_waiting(onliner, name);
        struct waiting *grown;

        if (waiting)
                return waiting;
        grown = array_grow(onliner->waiting, &onliner->n_waiting_allocated, onliner->n_waiting + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        onliner->waiting = grown;
        waiting = &grown[onliner->n_waiting++];
        *waiting = (struct waiting){ .since_usec = now_usec(onliner) };
        snprintf(waiting->name, sizeof(waiting->name), "%s", name);
        return waiting;
}

/* Once, and before anything is done: after a crash it is better offline than online against somebody's will. */
static bool settle(struct onliner *onliner, const struct range *range, const char *name) {
        struct span span = { 0 };
        int r;

        if (!range->exported)
                span = range->span;
        r = remember(onliner, name, span);
        if (r >= 0)
                r = save(onliner);
        if (r < 0)
                log_errno(LOG_ERR, r, "Cannot keep that %s was dealt with, so it is left as it is", name);
        return r >= 0;
}

static bool is_plain(const struct range *range) {
        return strcmp(range->name, "System RAM") == 0 && range->driver == DRIVER_OTHER;
}

enum verdict {
        VERDICT_WAIT,
        VERDICT_GO,
        VERDICT_LEAVE,
};

/* Whether all that may speak about the range has spoken. *ret_due: when to look again. */
static enum verdict judge(struct onliner *onliner, struct waiting *waiting, const struct range *range,
                          uint64_t *ret_due) {
        uint64_t now = now_usec(onliner);

        if (range->exported && onliner->callbacks.is_remainder(range->number, onliner->userdata))
                return VERDICT_LEAVE;
        if (!range->exported && is_rest(onliner, range))
                return VERDICT_LEAVE;
        if (!range->exported && now < waiting->since_usec + ESTIMATE_WAIT_USEC) {
                *ret_due = waiting->since_usec + ESTIMATE_WAIT_USEC;
                return VERDICT_WAIT;
        }
        if (range->exported && onliner->callbacks.udev_may_speak(onliner->userdata) &&
            !onliner->callbacks.udev_has_seen(range->number, onliner->userdata)) {
                *ret_due = waiting->since_usec + UDEV_TIMEOUT_USEC;
                if (now < *ret_due)
                        return VERDICT_WAIT;
                log_warning("udevd did not process %s within 10 s, so no policy is applied and it stays as it is",
                            waiting->name);
                return VERDICT_LEAVE;
        }
        if (is_plain(range) && !waiting->looked_again && onliner->callbacks.drivers_matter(onliner->userdata)) {
                *ret_due = MAX(now, waiting->since_usec + DRIVER_WAIT_USEC);
                return VERDICT_WAIT;
        }
        return VERDICT_GO;
}

static void apply(struct onliner *onliner, const struct inventory *inventory, const struct range *range,
                  const char *name) {
        const struct policy *policy = onliner->callbacks.policy_of(range, onliner->userdata);

        switch (policy->mode) {
        case POLICY_MODE_MANUAL:
                log_info("%s: policy \"%s\" leaves it to the administrator", name, policy->name);
                return;
        case POLICY_MODE_KERNEL:
                log_info("%s: policy \"%s\" leaves it to the kernel's auto_online_blocks", name, policy->name);
                return;
        case POLICY_MODE_AUTO:
                break;
        }
        if (strncmp(inventory->auto_online, "online", strlen("online")) == 0) {
                if (!onliner->has_warned)
                        log_warning(
                                "%s: the kernel onlines memory by itself (auto_online_blocks is %s), so policy "
                                "\"%s\" does not; this is said once",
                                name, inventory->auto_online, policy->name);
                onliner->has_warned = true;
                return;
        }
        onliner->has_warned = false;
        log_info("%s: policy \"%s\" brings it online", name, policy->name);
        (void)onliner->callbacks.bring_online(name, onliner->userdata);
}

static uint64_t look_at(struct onliner *onliner, const struct inventory *inventory, const struct range *range) {
        char name[RANGE_NAME_MAX];
        struct waiting *waiting;
        uint64_t due = USEC_INFINITY;

        range_name(range, name);
        if (is_handled(onliner, name))
                return USEC_INFINITY;
        waiting = add_waiting(onliner, name);
        if (!waiting) {
                (void)log_oom();
                return USEC_INFINITY;
        }
        waiting->is_there = true;
        switch (judge(onliner, waiting, range, &due)) {
        case VERDICT_WAIT:
                return due;
        case VERDICT_LEAVE:
                (void)settle(onliner, range, name);
                break;
        case VERDICT_GO:
                if (settle(onliner, range, name))
                        apply(onliner, inventory, range, name);
                break;
        }
        waiting->is_there = false;
        return USEC_INFINITY;
}

static void forget_gone(struct onliner *onliner) {
        size_t n = 0;

        for (size_t i = 0; i < onliner->n_waiting; i++)
                if (onliner->waiting[i].is_there)
                        onliner->waiting[n++] = onliner->waiting[i];
        onliner->n_waiting = n;
}

/*
 * An estimate is known by its place: when it is gone, or another has taken its place, it is new when it comes again.
 * Behind a look, as what is left of it is known by it.
 */
static void forget_estimates(struct onliner *onliner, const struct inventory *inventory) {
        size_t n = 0;

        if (inventory->estimates_stale)
                return;
        for (size_t i = 0; i < onliner->n_handled; i++)
                if (onliner->handled[i].span.n_blocks == 0 || inventory_find_range(inventory, onliner->handled[i].name))
                        onliner->handled[n++] = onliner->handled[i];
        if (n == onliner->n_handled)
                return;
        onliner->n_handled = n;
        if (save(onliner) < 0)
                log_warning("Cannot keep which estimated ranges are gone");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct onliner *onliner = userdata;

        (void)source;
        (void)usec;
        for (size_t i = 0; i < onliner->n_waiting; i++)
                onliner->waiting[i].looked_again =
                        now_usec(onliner) >= onliner->waiting[i].since_usec + DRIVER_WAIT_USEC;
        onliner->callbacks.resync(onliner->userdata);
        return 0;
}

void onliner_look(struct onliner *onliner, const struct inventory *inventory) {
        uint64_t due = USEC_INFINITY;

        for (size_t i = 0; i < onliner->n_waiting; i++)
                onliner->waiting[i].is_there = false;
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                uint64_t range_due = look_at(onliner, inventory, &inventory->ranges[i]);

                due = MIN(due, range_due);
        }
        forget_gone(onliner);
        forget_estimates(onliner, inventory);
        onliner->timer = sd_event_source_disable_unref(onliner->timer);
        if (due != USEC_INFINITY &&
            sd_event_add_time(onliner->event, &onliner->timer, CLOCK_MONOTONIC, due, 0, on_timer, onliner) < 0)
                (void)log_oom();
}

int onliner_new(sd_event *event, const struct onliner_callbacks *callbacks, void *userdata, struct onliner **ret) {
        struct onliner *onliner = calloc(1, sizeof(*onliner));
        int r;

        if (!onliner)
                return -ENOMEM;
        onliner->event = sd_event_ref(event);
        onliner->callbacks = *callbacks;
        onliner->userdata = userdata;
        r = load(onliner);
        if (r < 0) {
                onliner_free(onliner);
                return r;
        }
        *ret = onliner;
        return 0;
}

struct onliner *onliner_free(struct onliner *onliner) {
        if (!onliner)
                return NULL;
        sd_event_source_disable_unref(onliner->timer);
        free(onliner->handled);
        free(onliner->waiting);
        sd_event_unref(onliner->event);
        free(onliner);
        return NULL;
}
