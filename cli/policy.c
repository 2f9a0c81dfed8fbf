/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "exit-status.h"
#include "nearest.h"
#include "output.h"
#include "snapshot.h"
#include "string-list.h"
#include "sysfs.h"
#include "util.h"
#include "verbs.h"

/* "memctl policy show default" */
#define DEFAULT_NAME "default"

enum {
        COL_NAME,
        COL_MODE,
        COL_ZONE,
        COL_PARTIAL,
        COL_KEEP,
        COL_TIMEOUT,
        COL_REMOVE,
        COL_MATCH,
        COL_RANGES,
        COL_FILE,
        N_COLUMNS,
};

const struct column policy_columns[N_COLUMNS + 1] = {
        [COL_NAME] = { "NAME" },       [COL_MODE] = { "MODE" },       [COL_ZONE] = { "ZONE" },
        [COL_PARTIAL] = { "PARTIAL" }, [COL_KEEP] = { "KEEP", true }, [COL_TIMEOUT] = { "TIMEOUT", true },
        [COL_REMOVE] = { "REMOVE" },   [COL_MATCH] = { "MATCH" },     [COL_RANGES] = { "RANGES" },
        [COL_FILE] = { "FILE" },
};

/* What there is to tell of policies, whoever told. */
struct policies {
        const char *teller;
        struct policy_view_list views;
        struct policy_problems problems;
};

static void policies_clear(struct policies *policies) {
        policy_view_list_clear(&policies->views);
        policy_problems_clear(&policies->problems);
}

static const char *view_name(const struct policy_view *view) {
        return *view->name ? view->name : DEFAULT_NAME;
}

static int add_setting(const char *key, const char *value, void *userdata) {
        int r = strings_add(userdata, key);

        return r < 0 ? r : strings_add(userdata, value);
}

/* The ranges that a policy is in force for, as far as files tell: udev may have chosen another. */
static int add_ranges(const struct snapshot *snapshot, const struct policy *policy, struct strings *ranges) {
        const struct inventory *inventory = snapshot->inventory;

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *range = inventory->ranges + i;
                char name[RANGE_NAME_MAX];

                if (policy_set_find(&snapshot->policies, range, inventory->block_size_bytes, NULL) == policy &&
                    strings_add(ranges, range_name(range, name)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int add_view(const struct snapshot *snapshot, const struct policy *policy, struct policy_view_list *views) {
        struct policy_view *items = array_grow(views->items, &views->n_allocated, views->n + 1, sizeof *items);
        struct strings settings = { 0 }, ranges = { 0 };
        int r;

        if (!items)
                return -ENOMEM;
        views->items = items;

        r = policy_each_setting(policy, add_setting, &settings);
        if (r == 0)
                r = add_ranges(snapshot, policy, &ranges);
        items[views->n++] =
                (struct policy_view){ strdup(policy->name), strdup(policy->file), settings.items, ranges.items };
        return r < 0 || !items[views->n - 1].name || !items[views->n - 1].file ? -ENOMEM : 0;
}

static int policies_from_files(const struct snapshot *snapshot, struct policies *policies) {
        for (size_t i = 0; i < snapshot->policies.n; i++)
                if (add_view(snapshot, snapshot->policies.items + i, &policies->views) < 0)
                        return out_of_memory();

        return add_view(snapshot, &policy_default, &policies->views) < 0 ? out_of_memory() : STATUS_DONE;
}

/* What memctld has in force, or what the files here would be. Tells what is wrong with files. */
static int policies_read(const struct options *options, struct policies *ret) {
        struct policies policies = { 0 };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct snapshot *snapshot = NULL;
        int r, status;

        status = snapshot_read(options, 0, &snapshot);
        if (status != STATUS_DONE)
                return status;

        policies.teller = snapshot_teller(snapshot);
        if (snapshot->client) {
                r = client_list_policies(snapshot->client, &policies.views, &policies.problems, &error);
                if (r < 0)
                        status = client_report(r, &error);
                sd_bus_error_free(&error);
                print_policy_problems(&policies.problems);
        } else
                status = policies_from_files(snapshot, &policies);
        snapshot_free(snapshot);
        if (status != STATUS_DONE) {
                policies_clear(&policies);
                return status;
        }

        *ret = policies;
        return STATUS_DONE;
}

static const char *setting(const struct policy_view *view, const char *key) {
        for (char **pair = view->settings; pair && *pair; pair += 2)
                if (strcmp(pair[0], key) == 0)
                        return pair[1];

        return NULL;
}

/* "Name=System RAM (kmem) Node=1", "" if everything fits. The caller frees it; NULL without memory. */
static char *match_text(const struct policy_view *view) {
        char *text = strdup("");

        for (char **pair = view->settings; text && pair && *pair; pair += 2) {
                char *longer;

                if (strncmp(pair[0], "Match.", 6) != 0)
                        continue;
                longer = format_string("%s%s%s=%s", text, *text ? " " : "", pair[0] + 6, pair[1]);
                free(text);
                text = longer;
        }

        return text;
}

static int add_row(struct table *table, const struct policy_view *view) {
        static const struct {
                size_t column;
                const char *key;
        } settings[] = {
                { COL_MODE, "Online.Mode" },           { COL_ZONE, "Online.Zone" },
                { COL_PARTIAL, "Offline.Partial" },    { COL_KEEP, "Offline.KeepAvailable" },
                { COL_TIMEOUT, "Offline.TimeoutSec" }, { COL_REMOVE, "Remove.Allow" },
        };
        _cleanup_free_ char *match = match_text(view), *ranges = strings_join(view->ranges);

        if (!match || !ranges)
                return -ENOMEM;

        table_add_row(table);
        table_set_text(table, COL_NAME, view_name(view));
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                table_set_text(table, settings[i].column, setting(view, settings[i].key));
        table_set_text(table, COL_MATCH, match);
        table_set_text(table, COL_RANGES, ranges);
        table_set_text(table, COL_FILE, view->file);
        return 0;
}

static json_object *problems_to_json(const struct policy_problems *problems) {
        json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < problems->n; i++) {
                const struct policy_problem *problem = problems->items + i;
                json_object *object = json_object_new_object();
                int r = json_add_text(object, "file", problem->file);

                if (r == 0)
                        r = json_add_number(object, "line", problem->line);
                if (r == 0)
                        r = json_add_text(object, "text", problem->message);
                if (json_append(array, object, r) < 0) {
                        json_object_put(array);
                        return NULL;
                }
        }

        return array;
}

static int print_list(const struct options *options, const struct policies *policies, struct table *table) {
        json_object *document;
        int r = 0;

        for (size_t i = 0; i < policies->views.n && r == 0; i++)
                r = add_row(table, policies->views.items + i);
        if (r < 0)
                return r;
        if (options->format != FORMAT_JSON)
                return table_print(table);

        document = document_new("memctl.policy", 1);
        r = json_add_text(document, "told_by", policies->teller);
        if (r == 0)
                r = document_add_table(document, "policies", table);
        if (r == 0)
                r = json_add(document, "problems", problems_to_json(&policies->problems));
        if (r == 0)
                return document_print(document, false);
        json_object_put(document);
        return r;
}

static int list(const struct options *options, char **words, size_t n_words) {
        struct policies policies;
        struct table *table;
        int r, status;

        (void)words;
        (void)n_words;
        r = table_new(options, policy_columns, "NAME,MODE,ZONE,PARTIAL,KEEP,REMOVE,MATCH,RANGES", &table);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : out_of_memory();

        status = policies_read(options, &policies);
        if (status == STATUS_DONE) {
                if (print_list(options, &policies, table) < 0)
                        status = out_of_memory();
                policies_clear(&policies);
        }

        table_free(table);
        return status;
}

/* As a policy file that says the same, so that it can be the start of one. */
static void print_view(const struct policy_view *view) {
        const char *section = "";

        printf("# %s: %s\n", view_name(view), *view->file ? view->file : "what holds where no file fits");
        printf("# in force for:%s", view->ranges && *view->ranges ? "" : " no range");
        for (char **range = view->ranges; range && *range; range++)
                printf(" %s", *range);
        putchar('\n');

        for (char **pair = view->settings; pair && *pair; pair += 2) {
                size_t n = strcspn(pair[0], ".");

                if (strncmp(section, pair[0], n + 1) != 0)
                        printf("[%.*s]\n", (int)n, pair[0]);
                section = pair[0];
                printf("%s=%s\n", pair[0] + n + 1, pair[1]);
        }
}

static const char *nth_name(size_t i, const void *userdata) {
        const struct policies *policies = userdata;

        return view_name(policies->views.items + i);
}

static const struct policy_view *find_view(const struct policies *policies, const char *name) {
        const char *near;

        for (size_t i = 0; i < policies->views.n; i++)
                if (strcmp(view_name(policies->views.items + i), name) == 0)
                        return policies->views.items + i;

        near = nearest_word(name, nth_name, policies->views.n, policies);
        fprintf(stderr, "memctl: refused: there is no policy \"%s\"", name);
        if (near)
                fprintf(stderr, ", did you mean \"%s\"?", near);
        fputs("\n  what is there:      memctl policy list\n", stderr);
        return NULL;
}

static int show(const struct options *options, char **words, size_t n_words) {
        struct policies policies;
        int status;

        status = policies_read(options, &policies);
        if (status != STATUS_DONE)
                return status;

        for (size_t i = 0; i < n_words && status == STATUS_DONE; i++)
                if (!find_view(&policies, words[i]))
                        status = STATUS_REFUSED;
        for (size_t i = 0; i < policies.views.n && status == STATUS_DONE; i++) {
                const struct policy_view *view = policies.views.items + i;
                bool is_named = n_words == 0;

                for (size_t j = 0; j < n_words; j++)
                        is_named |= strcmp(words[j], view_name(view)) == 0;
                if (is_named)
                        print_view(view);
        }

        policies_clear(&policies);
        return status;
}

static int check_file(const char *file, struct policy_problems *problems) {
        _cleanup_free_ char *text = NULL;
        struct policy policy;
        struct sysfs here;
        ssize_t n;
        int r;

        r = sysfs_open(".", NULL, &here);
        n = r < 0 ? r : sysfs_read_all(&here, file, &text);
        if (r >= 0)
                sysfs_close(&here);
        if (n < 0) {
                fprintf(stderr, "memctl: cannot read %s: %s\n", file, strerror((int)-n));
                return STATUS_FAILED;
        }

        r = policy_parse("", file, text, &policy, problems);
        if (r == 0)
                policy_clear(&policy);
        return r == -ENOMEM ? out_of_memory() : STATUS_DONE;
}

/* The files of this machine, or of the copy below --sysroot, as they are now; memctld may not have read them yet. */
static int check_installed(const struct options *options, struct policy_problems *problems, size_t *n_sound) {
        struct policy_set set = { 0 };
        struct sysfs root;
        int r;

        r = sysfs_open(options->sysroot, NULL, &root);
        if (r < 0) {
                fprintf(stderr, "memctl: cannot open %s: %s\n", options->sysroot ? options->sysroot : "/",
                        strerror(-r));
                return STATUS_FAILED;
        }
        r = policy_set_load(root.root_fd, &set, problems);
        sysfs_close(&root);
        if (r < 0)
                return out_of_memory();

        *n_sound = set.n;
        policy_set_clear(&set);
        return STATUS_DONE;
}

static int check(const struct options *options, char **words, size_t n_words) {
        struct policy_problems problems = { 0 };
        size_t n_sound = n_words;
        int status = STATUS_DONE;

        if (options->host || options->machine) {
                fputs("memctl: files of another machine cannot be read from here\n"
                      "  what is wrong with them:  memctl policy list\n",
                      stderr);
                return STATUS_USAGE;
        }

        for (size_t i = 0; i < n_words && status == STATUS_DONE; i++)
                status = check_file(words[i], &problems);
        if (n_words == 0)
                status = check_installed(options, &problems, &n_sound);

        print_policy_problems(&problems);
        if (status == STATUS_DONE && problems.n > 0)
                status = STATUS_FAILED;
        else if (status == STATUS_DONE)
                printf("%zu file%s, none broken\n", n_sound, n_sound == 1 ? "" : "s");
        policy_problems_clear(&problems);
        return status;
}

static int reload(const struct options *options, char **words, size_t n_words) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct client *client = NULL;
        struct policies policies = { 0 };
        pid_t agent = 0;
        int r, status;

        (void)words;
        (void)n_words;
        r = client_open(options, &client, &error);
        if (r >= 0)
                agent = agent_open(options);
        if (r >= 0)
                r = client_reload(client, &error);
        /* What is broken is not in force: whoever reloads wants to know. */
        if (r >= 0)
                r = client_list_policies(client, &policies.views, &policies.problems, &error);
        status = r < 0 ? client_report(r, &error) : STATUS_DONE;
        print_policy_problems(&policies.problems);

        agent_close(agent);
        sd_bus_error_free(&error);
        policies_clear(&policies);
        client_close(client);
        return status;
}

static const struct action {
        const char *name;
        size_t max_words;
        bool is_table; /* takes the options of tables */
        bool takes_sysroot;
        int (*run)(const struct options *options, char **words, size_t n_words);
} actions[] = {
        { "list", 0, true, true, list },
        { "show", SIZE_MAX, false, true, show },
        { "check", SIZE_MAX, false, true, check },
        { "reload", 0, false, false, reload },
};

static const char *action_name(size_t i, const void *userdata) {
        (void)userdata;
        return actions[i].name;
}

int verb_policy(const struct options *options, char **words, size_t n_words) {
        const char *name = n_words > 0 ? words[0] : "list", *near;
        const struct action *action = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
                if (strcmp(actions[i].name, name) == 0)
                        action = actions + i;
        if (!action) {
                near = nearest_word(name, action_name, ARRAY_SIZE(actions), NULL);
                fprintf(stderr, "memctl: there is no \"policy %s\"", name);
                if (near)
                        fprintf(stderr, ", did you mean \"policy %s\"?\n", near);
                else
                        fputs(": write list, show, check or reload\n", stderr);
                return STATUS_USAGE;
        }

        n_words -= n_words > 0;
        if (n_words > action->max_words) {
                fprintf(stderr, "memctl: policy %s takes no \"%s\"\n", name, words[1]);
                return STATUS_USAGE;
        }
        if (!action->is_table && (options->columns || options->all_columns || options->no_headings ||
                                  options->sizes_in_bytes || options->format != FORMAT_TABLE)) {
                fprintf(stderr, "memctl: the options of tables go with \"policy list\", not with \"policy %s\"\n",
                        name);
                return STATUS_USAGE;
        }
        if (!action->takes_sysroot && options->sysroot) {
                fprintf(stderr, "memctl: --sysroot does not go with \"policy %s\", which asks memctld\n", name);
                return STATUS_USAGE;
        }

        return action->run(options, words + 1, n_words);
}
