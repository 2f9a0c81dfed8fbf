/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "bus-errors.h"
#include "bus-objects.h"
#include "cleanup.h"
#include "config.h"
#include "polkit.h"
#include "selector.h"

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
        return sd_bus_message_append(reply, "s", MEMCTL_VERSION);
}

static int get_u64(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                   void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        uint64_t value;

        (void)bus, (void)path, (void)interface, (void)error;
        if (strcmp(property, "BlockSize") == 0)
                value = inventory->block_size_bytes;
        else if (strcmp(property, "OnlineBytes") == 0)
                value = inventory_count_bytes(inventory, NULL, BLOCK_ONLINE);
        else if (strcmp(property, "OfflineBytes") == 0)
                value = inventory_count_bytes(inventory, NULL, BLOCK_OFFLINE);
        else if (strcmp(property, "EventsLost") == 0)
                value = manager_events_lost(service->manager);
        else
                value = manager_generation(service->manager);
        return sd_bus_message_append(reply, "t", value);
}

static int get_word(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        const char *word;

        (void)bus, (void)path, (void)interface, (void)error;
        if (strcmp(property, "GranularitySource") == 0)
                word = granularity_source_to_string(inventory->source);
        else if (strcmp(property, "KernelGuard") == 0)
                word = kernel_guard_to_string(inventory->guard);
        else
                word = inventory->auto_online;
        return sd_bus_message_append(reply, "s", word);
}

int append_extent(sd_bus_message *message, const struct inventory *inventory, const struct extent *extent,
                  struct span within) {
        struct span span = span_intersect(extent_span(extent), within);
        _cleanup_free_ char *range = NULL;
        int r;

        if (extent->range != RANGE_NONE) {
                range = range_path(&inventory->ranges[extent->range]);
                if (!range)
                        return -ENOMEM;
        }
        r = sd_bus_message_append(message, "(ttissso)", span.first_block * inventory->block_size_bytes,
                                  span.n_blocks * inventory->block_size_bytes, extent->node,
                                  block_zone_to_string(extent->zone), block_state_to_string(extent->state),
                                  block_kind_to_string(extent->kind), range ? range : "/");
        return r < 0 ? r : 0;
}

struct filter {
        bool has_selection, has_state;
        struct span_list selection;
        enum block_state state;
};

static void filter_clear(struct filter *filter) {
        span_list_clear(&filter->selection);
}

static void cleanup_words(char ***words) {
        for (char **word = *words; word && *word; word++)
                free(*word);
        free(*words);
}

static int filter_select(const struct inventory *inventory, char **words, struct filter *filter, sd_bus_error *error) {
        struct span_list blocks = { 0 };
        _cleanup_free_ char *text = NULL;
        int r = blocks_named(words, inventory, "an amount chooses what to change; it cannot filter a list", &blocks,
                             NULL, &text);

        if (r == -EINVAL)
                return sd_bus_error_set(error, BUS_ERROR_INVALID_SELECTOR, text);
        if (r < 0)
                return r;
        filter_clear(filter);
        filter->has_selection = true;
        filter->selection = blocks;
        return 0;
}

static int read_filter_key(sd_bus_message *message, const struct inventory *inventory, const char *key,
                           struct filter *filter, sd_bus_error *error) {
        const char *word;
        int r;

        if (strcmp(key, "selectors") == 0) {
                _cleanup_(cleanup_words) char **words = NULL;

                r = sd_bus_message_enter_container(message, 'v', "as");
                if (r < 0)
                        return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "filter %s: must be of type as", key);
                r = read_any_selectors(message, &words, error);
                if (r < 0)
                        return r;
                r = filter_select(inventory, words, filter, error);
                if (r < 0)
                        return r;
                return sd_bus_message_exit_container(message);
        }
        if (strcmp(key, "state") == 0) {
                r = sd_bus_message_read(message, "v", "s", &word);
                if (r < 0)
                        return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "filter %s: must be of type s", key);
                if (block_state_from_string(word, &filter->state) < 0)
                        return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION,
                                                 "filter state: %s is no state; there are online, offline and "
                                                 "going-offline",
                                                 word);
                filter->has_state = true;
                return 0;
        }
        return sd_bus_error_setf(error, BUS_ERROR_INVALID_OPTION, "unknown filter %s; there are selectors and state",
                                 key);
}

static int read_filter(sd_bus_message *message, const struct inventory *inventory, struct filter *filter,
                       sd_bus_error *error) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = sd_bus_message_read(message, "s", &key);
                if (r < 0)
                        return r;
                r = read_filter_key(message, inventory, key, filter, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

struct page {
        sd_bus_message *reply;
        const struct inventory *inventory;
        uint64_t n_left;
};

/* Returns 0, 1 if the page is full before this one, -errno. */
static int page_add(struct page *page, const struct extent *extent, struct span within) {
        if (span_intersect(extent_span(extent), within).n_blocks == 0)
                return 0;
        if (page->n_left == 0)
                return 1;
        page->n_left--;
        return append_extent(page->reply, page->inventory, extent, within);
}

/* The parts of an extent that lie behind the last page and in the selection. */
static int page_add_selected(struct page *page, const struct extent *extent, struct span behind,
                             const struct filter *filter) {
        if (filter->has_state && extent->state != filter->state)
                return 0;
        if (!filter->has_selection)
                return page_add(page, extent, behind);
        for (size_t i = 0; i < filter->selection.n; i++) {
                int r = page_add(page, extent, span_intersect(filter->selection.items[i], behind));

                if (r != 0)
                        return r;
        }
        return 0;
}

static int append_page(sd_bus_message *reply, const struct inventory *inventory, const struct filter *filter,
                       uint64_t after, uint32_t max) {
        struct page page = { .reply = reply, .inventory = inventory };
        uint64_t first = after / inventory->block_size_bytes;
        struct span behind = { first, UINT64_MAX - first };
        int r;

        page.n_left = max == 0 || max > EXTENTS_PER_REPLY_MAX ? EXTENTS_PER_REPLY_MAX : max;
        r = sd_bus_message_open_container(reply, 'a', "(ttissso)");
        if (r < 0)
                return r;
        r = 0;
        for (size_t i = extent_list_lower_bound(&inventory->extents, first); r == 0 && i < inventory->extents.n; i++) {
                r = page_add_selected(&page, &inventory->extents.items[i], behind, filter);
                if (r > 0)
                        break;
        }
        if (r < 0)
                return r;
        if (sd_bus_message_close_container(reply) < 0)
                return -EIO;
        return sd_bus_message_append(reply, "b", r > 0);
}

static int method_list_extents(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_(filter_clear) struct filter filter = { 0 };
        uint64_t after;
        uint32_t max;
        int r;

        r = read_filter(message, inventory, &filter, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "tu", &after, &max);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "t", manager_generation(service->manager));
        if (r < 0)
                return r;
        r = append_page(reply, inventory, &filter, after, max);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        struct job *const *jobs;
        size_t n;
        int r;

        (void)error;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(to)");
        if (r < 0)
                return r;
        jobs = manager_jobs(service->manager, &n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = job_path(jobs[i]->id);

                if (!path)
                        return -ENOMEM;
                r = sd_bus_message_append(reply, "(to)", jobs[i]->id, path);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static void reload_allowed(sd_bus_message *call, void *userdata) {
        struct service *service = userdata;

        service_reload(service);
        (void)sd_bus_reply_method_return(call, NULL);
}

static void free_nothing(void *userdata) {
        (void)userdata;
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const char *const actions[] = { "org.memctl1.reload", NULL };
        const struct polkit_question question = { .actions = actions, .verb = "reload", .blocks = "" };

        return polkit_ask(message, &question, reload_allowed, userdata, free_nothing, error);
}

const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("BlockSize", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("OnlineBytes", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("OfflineBytes", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("GranularitySource", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("KernelGuard", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("AutoOnline", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("EventsLost", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("Generation", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_METHOD_WITH_ARGS("ListExtents", SD_BUS_ARGS("a{sv}", filter, "t", after, "u", max),
                                SD_BUS_RESULT("t", generation, "a(ttissso)", extents, "b", more), method_list_extents,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Plan", SD_BUS_ARGS("s", verb, "as", selectors, "a{sv}", options),
                SD_BUS_RESULT("t", generation, "a(tts)", steps, "a(ttssas)", refusals, "a(sts)", side_effects),
                method_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Online", SD_BUS_ARGS("as", selectors, "a{sv}", options),
                                SD_BUS_RESULT("t", id, "o", job), method_online, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Offline", SD_BUS_ARGS("as", selectors, "a{sv}", options),
                                SD_BUS_RESULT("t", id, "o", job), method_offline, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("as", selectors, "a{sv}", options),
                                SD_BUS_RESULT("t", id, "o", job), method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(to)", jobs), method_list_jobs,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inhibit", SD_BUS_ARGS("s", what, "as", selectors, "s", mode, "s", who, "s", why),
                                SD_BUS_RESULT("h", fd), method_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListInhibitors", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sassssuu)", inhibitors),
                                method_list_inhibitors, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListPolicies", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(ssa{ss}as)", policies, "a(sus)", problems), method_list_policies,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("PrepareFor", SD_BUS_ARGS("t", id, "a(tt)", blocks, "b", start), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("t", id, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobFinished", SD_BUS_ARGS("t", id, "o", job, "s", result), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("t", id, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ExtentsChanged", SD_BUS_ARGS("t", generation, "a(ttissso)", now, "b", resync), 0),
        SD_BUS_VTABLE_END,
};
