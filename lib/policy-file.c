/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ini-text.h"
#include "policy-file.h"
#include "selector.h"
#include "util.h"

/* A text that is read, and what of. */
struct policy_reader {
        struct ini_text text;
        const char *file;
        struct policy *policy;
        struct policy_problems *problems;
};

int policy_problems_add(struct policy_problems *problems, const char *file, unsigned line, const char *format, ...) {
        va_list args;
        char *message = NULL;

        va_start(args, format);
        int n = vasprintf(&message, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;

        char *name = strdup(file);
        struct policy_problem *items = reallocarray(problems->items, problems->n + 1, sizeof(*items));
        if (items)
                problems->items = items;
        if (!items || !name) {
                free(message);
                free(name);
                return -ENOMEM;
        }
        items[problems->n++] = (struct policy_problem){ .file = name, .line = line, .message = message };
        return 0;
}

#define broken(reader, ...) ini_text_complain(&(reader)->text, __VA_ARGS__)

static int on_problem(struct ini_text *text, const char *message) {
        const struct policy_reader *reader = text->userdata;

        return policy_problems_add(reader->problems, reader->file, text->line, "%s", message);
}

static bool is_group(const char *name, size_t length) {
        static const char *const groups[] = { "Match", "Online", "Offline", "Remove" };

        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (strlen(groups[i]) == length && strncmp(groups[i], name, length) == 0)
                        return true;
        return false;
}

/* libinih does not report a group that has no keys, nor what follows its bracket. */
static void check_group(struct ini_text *text, const char *line, size_t length) {
        struct policy_reader *reader = text->userdata;
        const char *end = memchr(line, ']', length);
        if (!end) {
                broken(reader, "a group must end with ']'");
                return;
        }

        size_t n = (size_t)(end - line - 1);
        if (!is_group(line + 1, n))
                broken(reader, "[%.*s] is no group: the groups are [Match], [Online], [Offline] and [Remove]", (int)n,
                       line + 1);
        for (const char *rest = end + 1; rest < line + length; rest++) {
                if (*rest == '#' || *rest == ';')
                        break;
                if (!isspace((unsigned char)*rest)) {
                        broken(reader, "nothing but a comment may follow a group");
                        break;
                }
        }
}

static void set_string(struct policy_reader *reader, char **field, const char *value) {
        char *copy = strdup(value);
        if (!copy) {
                reader->text.no_memory = true;
                return;
        }
        free(*field);
        *field = copy;
}

static bool parse_yes_no(const char *value, bool *ret) {
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

        int i = index_of_word(words, ARRAY_SIZE(words), value);
        if (i >= 0)
                *ret = i % 2;
        return i >= 0;
}

/* "5%" or "4G" */
static bool parse_keep_available(const char *value, struct policy *policy) {
        size_t length = strlen(value);
        uint64_t number;

        if (length > 1 && value[length - 1] == '%') {
                if (parse_u64(value, length - 1, 10, &number) < 0 || number > 100)
                        return false;
                policy->keep_available_percent = (unsigned)number;
                policy->keep_available_bytes = 0;
                return true;
        }
        if (strcmp(value, "0") == 0)
                number = 0;
        else if (parse_amount_bytes(value, &number) < 0)
                return false;
        policy->keep_available_percent = 0;
        policy->keep_available_bytes = number;
        return true;
}

static const char *const mode_words[] = {
        [POLICY_MODE_MANUAL] = "manual",
        [POLICY_MODE_AUTO] = "auto",
        [POLICY_MODE_KERNEL] = "kernel",
};

static const char *const zone_words[_ONLINE_ZONE_MAX] = {
        [ONLINE_ZONE_DEFAULT] = "default",
        [ONLINE_ZONE_KERNEL] = "kernel",
        [ONLINE_ZONE_MOVABLE] = "movable",
};

static bool parse_driver(const char *value, int *ret) {
        for (int i = 0; i < _RANGE_DRIVER_MAX; i++)
                if (strcmp(value, range_driver_to_string((enum range_driver)i)) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

static void apply_match(struct policy_reader *reader, const char *key, const char *value) {
        struct policy *policy = reader->policy;
        uint64_t number;

        if (strcmp(key, "Name") == 0) {
                set_string(reader, &policy->match_name, value);
        } else if (strcmp(key, "Node") == 0) {
                if (parse_u64(value, strlen(value), 10, &number) < 0 || number > INT32_MAX)
                        broken(reader, "Node=%s is no node number: write Node=1", value);
                else
                        policy->match_node = (int)number;
        } else if (strcmp(key, "Driver") == 0) {
                if (!parse_driver(value, &policy->match_driver))
                        broken(reader, "Driver=%s is no driver: write acpi, dax, virtio-mem, pseries, s390 or other",
                               value);
        } else if (strcmp(key, "MinimumSize") == 0) {
                if (parse_amount_bytes(value, &policy->match_minimum_size_bytes) < 0)
                        broken(reader, "MinimumSize=%s is no size: write MinimumSize=4G (K M G T P)", value);
        } else
                broken(reader, "[Match] has no key %s: it has Name, Node, Driver and MinimumSize", key);
}

static void apply_online(struct policy_reader *reader, const char *key, const char *value) {
        struct policy *policy = reader->policy;

        if (strcmp(key, "Mode") == 0) {
                int i = index_of_word(mode_words, ARRAY_SIZE(mode_words), value);
                if (i < 0)
                        broken(reader, "Mode=%s is no mode: write auto, manual or kernel", value);
                else
                        policy->mode = (enum policy_mode)i;
        } else if (strcmp(key, "Zone") == 0) {
                if (online_zone_from_string(value, &policy->zone) < 0)
                        broken(reader, "Zone=%s is no zone: write movable, kernel or default", value);
        } else
                broken(reader, "[Online] has no key %s: it has Mode and Zone", key);
}

static void apply_offline(struct policy_reader *reader, const char *key, const char *value) {
        struct policy *policy = reader->policy;

        if (strcmp(key, "Partial") == 0) {
                if (strcmp(value, "allow") != 0 && strcmp(value, "refuse") != 0)
                        broken(reader, "Partial=%s: write allow or refuse", value);
                else
                        policy->partial_allowed = strcmp(value, "allow") == 0;
        } else if (strcmp(key, "KeepAvailable") == 0) {
                if (!parse_keep_available(value, policy))
                        broken(reader, "KeepAvailable=%s: write a percentage, 5%%, or a size, 4G (K M G T P)", value);
        } else if (strcmp(key, "TimeoutSec") == 0) {
                if (parse_seconds(value, &policy->timeout_usec) < 0)
                        broken(reader, "TimeoutSec=%s: write whole seconds, at least 1", value);
        } else
                broken(reader, "[Offline] has no key %s: it has Partial, KeepAvailable and TimeoutSec", key);
}

static void apply_remove(struct policy_reader *reader, const char *key, const char *value) {
        if (strcmp(key, "Allow") != 0)
                broken(reader, "[Remove] has no key %s: it has Allow", key);
        else if (!parse_yes_no(value, &reader->policy->remove_allowed))
                broken(reader, "Allow=%s: write yes or no", value);
}

/* Cuts a comment off: a '#' with a space before it, as libinih does it for ';'. */
static void cut_comment(char *value) {
        for (char *at = value; *at != '\0'; at++)
                if (*at == '#' && (at == value || isspace((unsigned char)at[-1]))) {
                        *at = '\0';
                        break;
                }

        size_t length = strlen(value);
        while (length > 0 && isspace((unsigned char)value[length - 1]))
                value[--length] = '\0';
}

static void apply_key(struct ini_text *text, const char *group, const char *key, const char *with_comment) {
        struct policy_reader *reader = text->userdata;

        char *value = strdup(with_comment);
        if (!value) {
                text->no_memory = true;
                return;
        }
        cut_comment(value);

        if (*value == '\0')
                broken(reader, "%s= has no value: write one, or take the line out", key);
        else if (strcmp(group, "Match") == 0)
                apply_match(reader, key, value);
        else if (strcmp(group, "Online") == 0)
                apply_online(reader, key, value);
        else if (strcmp(group, "Offline") == 0)
                apply_offline(reader, key, value);
        else if (strcmp(group, "Remove") == 0)
                apply_remove(reader, key, value);
        else if (*group == '\0')
                broken(reader, "%s= stands before any group", key);
        free(value);
}

int policy_copy(const struct policy *policy, struct policy *ret) {
        struct policy copy = *policy;

        copy.name = strdup(policy->name);
        copy.file = strdup(policy->file);
        copy.match_name = policy->match_name ? strdup(policy->match_name) : NULL;
        if (!copy.name || !copy.file || (policy->match_name && !copy.match_name)) {
                policy_clear(&copy);
                return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

int policy_apply(struct policy *policy, const char *file, const char *text, struct policy_problems *problems) {
        _cleanup_(policy_clear) struct policy changed = { 0 };
        struct policy_reader reader = {
                .text = { .rest = text,
                          .group = check_group,
                          .key = apply_key,
                          .problem = on_problem,
                          .userdata = &reader },
                .file = file,
                .policy = &changed,
                .problems = problems,
        };

        int r = policy_copy(policy, &changed);
        if (r < 0)
                return r;

        r = ini_text_read(&reader.text);
        if (r < 0)
                return r;

        struct policy old = *policy;
        *policy = changed;
        changed = old;
        return 0;
}

int policy_parse(const char *name, const char *file, const char *text, struct policy *ret,
                 struct policy_problems *problems) {
        _cleanup_(policy_clear) struct policy policy = policy_default;

        /* The default's strings are constants. */
        policy.name = strdup(name);
        policy.file = strdup(file);
        if (!policy.name || !policy.file)
                return -ENOMEM; /* cppcheck-suppress memleak ; policy_clear() frees both */

        int r = policy_apply(&policy, file, text, problems);
        if (r < 0)
                return r;

        *ret = policy;
        policy = (struct policy){ 0 };
        return 0;
}

const char *policy_mode_to_string(enum policy_mode mode) {
        return word_of(mode_words, ARRAY_SIZE(mode_words), (int)mode);
}

const char *online_zone_to_string(enum online_zone zone) {
        return word_of(zone_words, _ONLINE_ZONE_MAX, (int)zone);
}

int online_zone_from_string(const char *word, enum online_zone *ret) {
        int i = index_of_word(zone_words, _ONLINE_ZONE_MAX, word);
        if (i < 0)
                return i;

        *ret = (enum online_zone)i;
        return 0;
}
