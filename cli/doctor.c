/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "exit-status.h"
#include "output.h"
#include "rows.h"
#include "snapshot.h"
#include "sysfs.h"
#include "util.h"
#include "verbs.h"

enum verdict {
        VERDICT_OK,
        VERDICT_WARNING, /* works, but not as well as it could */
        VERDICT_PROBLEM, /* something memctl promises does not hold */
};

static const char *const verdict_words[] = { "ok", "warning", "problem" };

struct examination {
        const struct options *options;
        const struct snapshot *snapshot;
        struct sysfs sysfs;  /* the root whose files are looked at; root_fd -1: another machine's */
        json_object *checks; /* NULL: text */
        enum verdict worst;
        bool has_failed; /* no memory */
};

/* Tells one finding; `advice` is what to do, NULL nothing. */
static void tell(struct examination *examination, const char *check, enum verdict verdict, const char *text,
                 const char *advice) {
        json_object *object;
        int r;

        examination->worst = MAX(examination->worst, verdict);
        if (!text) {
                examination->has_failed = true;
                return;
        }
        if (!examination->checks) {
                printf("%-8s %s: %s\n", verdict_words[verdict], check, text);
                if (advice)
                        printf("         %s %s\n", use_utf8() ? "→" : "->", advice);
                return;
        }

        object = json_object_new_object();
        r = json_add_text(object, "check", check);
        if (r == 0)
                r = json_add_text(object, "verdict", verdict_words[verdict]);
        if (r == 0)
                r = json_add_text(object, "text", text);
        if (r == 0)
                r = json_add_text(object, "advice", advice);
        examination->has_failed |= json_append(examination->checks, object, r) < 0;
}

/* A socket cannot be opened, but is there. */
static bool is_socket(struct examination *examination, const char *path) {
        char buffer[2];

        return sysfs_read_at(&examination->sysfs, examination->sysfs.root_fd, path, buffer, sizeof buffer) == -ENXIO;
}

static void check_bus(struct examination *examination) {
        if (examination->snapshot->client || is_socket(examination, "run/dbus/system_bus_socket"))
                tell(examination, "D-Bus", VERDICT_OK, "the system bus runs", NULL);
        else
                tell(examination, "D-Bus", VERDICT_PROBLEM, "there is no system bus, over which memctld is asked",
                     "systemctl start dbus.socket; if there is none: install dbus or dbus-broker");
}

static void check_daemon(struct examination *examination) {
        const struct client *client = examination->snapshot->client;
        _cleanup_free_ char *text = NULL;

        if (examination->options->sysroot)
                return;
        if (!client) {
                tell(examination, "memctld", VERDICT_PROBLEM, "cannot be reached: memory can be listed, not changed",
                     "systemctl start memctld; if that fails: journalctl -u memctld");
                return;
        }

        if (client->version && strcmp(client->version, MEMCTL_VERSION) != 0) {
                text = format_string("is version %s, memctl is " MEMCTL_VERSION, client->version);
                tell(examination, "memctld", VERDICT_WARNING, text, "systemctl restart memctld");
                return;
        }
        tell(examination, "memctld", VERDICT_OK, "answers, version " MEMCTL_VERSION, NULL);
}

static void check_guard(struct examination *examination) {
        switch (examination->snapshot->inventory->guard) {
        case GUARD_REMOVAL:
                tell(examination, "kernel guard", VERDICT_OK,
                     "the kernel refuses every removal that would split one of its mappings", NULL);
                break;
        case GUARD_OFFLINE:
                tell(examination, "kernel guard", VERDICT_WARNING,
                     "the kernel refuses to offline parts of a mapping, also where nothing is removed",
                     "run a kernel with the memory_range series to have removals checked instead");
                break;
        default:
                tell(examination, "kernel guard", VERDICT_WARNING,
                     "nothing in this kernel stops a driver from splitting a mapping; memctld refuses what goes "
                     "through it",
                     "run a kernel with the memory_range series, and leave removals to memctl until then");
        }
}

static void check_granularity(struct examination *examination) {
        enum granularity_source source = examination->snapshot->inventory->source;
        _cleanup_free_ char *note = snapshot_granularity_note(examination->snapshot);
        bool is_known = source == GRANULARITY_SOURCE_KERNEL || source == GRANULARITY_SOURCE_PAGE_TABLES ||
                        examination->snapshot->inventory->n_ranges == 0;

        tell(examination, "removal granularity", is_known ? VERDICT_OK : VERDICT_WARNING, note,
             is_known ? NULL : "ReadPageTables=yes in memctld.conf reads it from debugfs where the kernel offers it");
}

static void check_auto_online(struct examination *examination) {
        const char *word = examination->snapshot->inventory->auto_online;
        _cleanup_free_ char *text = NULL;

        if (!*word)
                return;
        if (strcmp(word, "offline") == 0) {
                tell(examination, "auto-online", VERDICT_OK, "the kernel leaves onlining to memctld", NULL);
                return;
        }

        text = format_string("the kernel onlines hot-added memory by itself (auto_online_blocks is %s)%s", word,
                             strcmp(word, "online_movable") == 0 ? "" : ", where it may not come off again");
        tell(examination, "auto-online", VERDICT_WARNING, text,
             "memhp_default_state=offline on the kernel command line, or Mode=kernel in the policy to keep it so");
}

/* Hot-added memory in a kernel zone: one unmovable page makes its whole unit irremovable. */
static void check_zone(const struct row *row, void *userdata) {
        struct examination *examination = userdata;
        _cleanup_free_ char *blocks = NULL, *text = NULL;
        char name[RANGE_NAME_MAX];

        if (!row->range || row->kind != KIND_HOT_ADDED || row->n_online == 0 || row->zone == ZONE_MOVABLE ||
            row->zone == ZONE_NONE)
                return;

        blocks = format_blocks(row->span);
        if (blocks)
                text = format_string("%s of %s is in zone %s: the kernel may put there what never moves", blocks,
                                     range_name(row->range, name), block_zone_to_string(row->zone));
        tell(examination, "zone", VERDICT_WARNING, text,
             "take it offline and online again with --zone=movable, while it still goes");
}

static void check_zones(struct examination *examination) {
        char all[] = "all", *words[] = { all, NULL };
        struct selection selection;

        if (snapshot_select(examination->snapshot, words, 1, &selection) != STATUS_DONE)
                return;
        rows_of_selection(examination->snapshot->inventory, &selection, SPLIT_ALL, check_zone, examination);
        selection_clear(&selection);
}

static void check_udev(struct examination *examination) {
        if (is_socket(examination, "run/udev/control"))
                tell(examination, "udev", VERDICT_OK, "runs: rules may choose a policy for a range", NULL);
        else
                tell(examination, "udev", VERDICT_WARNING, "does not run: MEMCTL_POLICY of its rules has no effect",
                     "systemctl start systemd-udevd");
}

static bool assigns(const char *rule, const char *attribute) {
        const char *found = strstr(rule, attribute);

        /* "==" compares */
        return found && found[strlen(attribute)] != '=';
}

/* A rule that onlines or offlines memory blocks behind memctld's back. */
static bool writes_state(const char *line, size_t n) {
        char *rule = strndup(line, n);
        bool writes;

        if (!rule)
                return false;

        writes = rule[strspn(rule, " \t")] != '#' && strstr(rule, "SUBSYSTEM==\"memory\"") &&
                 (assigns(rule, "ATTR{state}=") || assigns(rule, "ATTR{online}="));
        free(rule);
        return writes;
}

struct rules {
        struct examination *examination;
        const char *directory;
        bool found;
};

static int check_rules_file(const char *name, void *userdata) {
        struct rules *rules = userdata;
        struct examination *examination = rules->examination;
        _cleanup_free_ char *path = format_string("%s/%s", rules->directory, name), *content = NULL;
        unsigned line_number = 1;

        if (!path)
                return -ENOMEM;
        if (sysfs_read_all(&examination->sysfs, path, &content) < 0)
                return 0;

        for (const char *line = content; *line; line_number++) {
                size_t n = strcspn(line, "\n");

                if (writes_state(line, n)) {
                        _cleanup_free_ char *text =
                                format_string("/%s:%u changes memory blocks by itself", path, line_number);

                        tell(examination, "udev rules", VERDICT_WARNING, text,
                             "mask it with a link of the same name to /dev/null in /etc/udev/rules.d, and let a policy "
                             "do it (Mode=auto)");
                        rules->found = true;
                }
                line += n + (line[n] == '\n');
        }

        return 0;
}

static void check_udev_rules(struct examination *examination) {
        static const char *const directories[] = { "etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d" };
        struct rules rules = { .examination = examination };

        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                rules.directory = directories[i];
                examination->has_failed |=
                        sysfs_list(&examination->sysfs, rules.directory, check_rules_file, &rules) == -ENOMEM;
        }

        if (!rules.found)
                tell(examination, "udev rules", VERDICT_OK, "none changes memory blocks", NULL);
}

static void check_policies(struct examination *examination) {
        struct policy_problems problems = { 0 };
        struct policy_set policies = { 0 };

        if (policy_set_load(examination->sysfs.root_fd, &policies, &problems) < 0)
                examination->has_failed = true;

        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *text = policy_problem_text(problems.items + i);

                tell(examination, "policy", VERDICT_PROBLEM, text,
                     "mend the file, then memctl policy reload; until then it counts as not there");
        }
        if (problems.n == 0) {
                _cleanup_free_ char *text =
                        format_string("%zu file%s, none broken", policies.n, policies.n == 1 ? "" : "s");

                tell(examination, "policy", VERDICT_OK, text, NULL);
        }

        policy_problems_clear(&problems);
        policy_set_clear(&policies);
}

static int print_document(const struct examination *examination) {
        json_object *document = document_new("memctl.doctor", 1);
        int r;

        r = json_add_text(document, "verdict", verdict_words[examination->worst]);
        if (r == 0)
                r = json_add(document, "checks", json_object_get(examination->checks));
        if (r == 0)
                return document_print(document, false);

        json_object_put(document);
        return r;
}

static void examine(struct examination *examination) {
        /* A copy runs nothing. */
        bool runs_here = examination->sysfs.root_fd >= 0 && !examination->options->sysroot;

        if (runs_here)
                check_bus(examination);
        check_daemon(examination);
        check_guard(examination);
        check_granularity(examination);
        check_auto_online(examination);
        check_zones(examination);
        if (examination->sysfs.root_fd >= 0) {
                if (runs_here)
                        check_udev(examination);
                check_udev_rules(examination);
                check_policies(examination);
        }
}

int verb_doctor(const struct options *options, char **words, size_t n_words) {
        struct examination examination = { .options = options, .sysfs.root_fd = -1 };
        struct snapshot *snapshot = NULL;
        int status;

        (void)words;
        (void)n_words;
        status = snapshot_read(options, INVENTORY_ZONES, &snapshot);
        if (status != STATUS_DONE)
                return status;

        examination.snapshot = snapshot;
        if (!options->host && !options->machine && sysfs_open(options->sysroot, NULL, &examination.sysfs) < 0)
                examination.has_failed = true;
        if (options->format == FORMAT_JSON) {
                examination.checks = json_object_new_array();
                examination.has_failed |= !examination.checks;
        }

        if (!examination.has_failed)
                examine(&examination);
        if (examination.checks && !examination.has_failed)
                examination.has_failed = print_document(&examination) < 0;

        status = examination.has_failed                 ? out_of_memory()
                 : examination.worst == VERDICT_PROBLEM ? STATUS_FAILED
                                                        : STATUS_DONE;
        json_object_put(examination.checks);
        sysfs_close(&examination.sysfs);
        snapshot_free(snapshot);
        return status;
}
