/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "configuration.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "ini-text.h"
#include "selector.h"

#define CONFIG_FILE   "memctld.conf"
#define CONFIG_SUFFIX ".conf"
#define FILE_SIZE_MAX (64U << 10)

/* Best first. */
static const char *const folders[] = { "etc/memctl", "run/memctl", "usr/lib/memctl" };

const struct configuration configuration_default = {
        .rollback_timeout_usec = 60 * USEC_PER_SEC,
        .inhibit_delay_max_usec = 5 * USEC_PER_SEC,
};

/* A text that is read, and what of. */
struct reader {
        struct ini_text text;
        const char *file;
        struct configuration *config;
        configuration_problem_fn problem;
        void *userdata;
};

static int on_problem(struct ini_text *text, const char *message) {
        const struct reader *reader = text->userdata;

        reader->problem(reader->file, text->line, message, reader->userdata);
        return 0;
}

static void apply_key(struct ini_text *text, const char *group, const char *key, const char *value) {
        struct configuration *config = ((struct reader *)text->userdata)->config;

        if (strcmp(group, "Manager") != 0)
                ini_text_complain(text, "[%s] is no group: there is [Manager]", group);
        else if (strcmp(key, "AssumeGranularity") == 0) {
                if (parse_amount_bytes(value, &config->assume_granularity_bytes) < 0 ||
                    !is_power_of_two(config->assume_granularity_bytes))
                        ini_text_complain(text, "AssumeGranularity=%s: write a power of two, 1G (K M G T P)", value);
        } else if (strcmp(key, "ReadPageTables") == 0) {
                config->reads_page_tables = strcmp(value, "yes") == 0;
                if (!config->reads_page_tables && strcmp(value, "no") != 0)
                        ini_text_complain(text, "ReadPageTables=%s: write yes or no", value);
        } else if (strcmp(key, "RollbackTimeoutSec") == 0) {
                if (parse_seconds(value, &config->rollback_timeout_usec) < 0)
                        ini_text_complain(text, "RollbackTimeoutSec=%s: write whole seconds, at least 1", value);
        } else if (strcmp(key, "InhibitDelayMaxSec") == 0) {
                if (parse_seconds(value, &config->inhibit_delay_max_usec) < 0)
                        ini_text_complain(text, "InhibitDelayMaxSec=%s: write whole seconds, at least 1", value);
        } else
                ini_text_complain(text,
                                  "[Manager] has no key %s: it has AssumeGranularity, ReadPageTables, "
                                  "RollbackTimeoutSec and InhibitDelayMaxSec",
                                  key);
}

int configuration_apply(struct configuration *config, const char *file, const char *text,
                        configuration_problem_fn problem, void *userdata) {
        struct configuration changed = *config;
        struct reader reader = {
                .text = { .rest = text, .key = apply_key, .problem = on_problem, .userdata = &reader },
                .file = file,
                .config = &changed,
                .problem = problem,
                .userdata = userdata,
        };
        int r = ini_text_read(&reader.text);

        if (r == -ENOMEM)
                problem(file, 0, "cannot be read for lack of memory", userdata);
        if (r < 0)
                return -EINVAL;
        *config = changed;
        return 0;
}

static int read_text(int root_fd, const char *path, char **ret) {
        _cleanup_close_ int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        /* A link to /dev/null masks. */
        if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX)
                return S_ISCHR(st.st_mode) ? 0 : -EINVAL;
        text = calloc(1, (size_t)st.st_size + 1);
        if (!text)
                return -ENOMEM;
        while (size < (size_t)st.st_size) {
                ssize_t n = read(fd, text + size, (size_t)st.st_size - size);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        if (memchr(text, '\0', size))
                return -EINVAL;
        *ret = TAKE_PTR(text);
        return 1;
}

/* Returns false if there is no such file. */
static bool load_file(int root_fd, const char *path, configuration_problem_fn problem, void *userdata,
                      struct configuration *config) {
        _cleanup_free_ char *text = NULL, *file = format_string("/%s", path);
        int r = file ? read_text(root_fd, path, &text) : -ENOMEM;

        if (r > 0)
                (void)configuration_apply(config, file, text, problem, userdata);
        else if (r < 0 && r != -ENOENT)
                problem(file ? file : path, 0, strerror(-r), userdata);
        return r != -ENOENT;
}

struct drop_in {
        char *name;
        size_t folder;
};

static int compare_drop_ins(const void *a, const void *b) {
        const struct drop_in *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        return order != 0 ? order : (x->folder > y->folder) - (x->folder < y->folder);
}

static int list_drop_ins(int root_fd, size_t folder, struct drop_in **items, size_t *n, size_t *n_allocated) {
        _cleanup_free_ char *path = format_string("%s/" CONFIG_FILE ".d", folders[folder]);
        int fd = path ? openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        const struct dirent *entry;
        DIR *directory;
        int r = 0;

        if (fd < 0)
                return path ? 0 : -ENOMEM;
        directory = fdopendir(fd);
        if (!directory) {
                close(fd);
                return -ENOMEM;
        }
        while (r == 0 && (entry = readdir(directory))) {
                size_t length = strlen(entry->d_name), suffix = strlen(CONFIG_SUFFIX);
                struct drop_in *grown;

                if (entry->d_name[0] == '.' || length <= suffix ||
                    strcmp(entry->d_name + length - suffix, CONFIG_SUFFIX) != 0)
                        continue;
                grown = array_grow(*items, n_allocated, *n + 1, sizeof(*grown));
                if (grown) {
                        *items = grown;
                        grown[*n] = (struct drop_in){ strdup(entry->d_name), folder };
                }
                if (grown && grown[*n].name)
                        (*n)++;
                else
                        r = -ENOMEM;
        }
        closedir(directory);
        return r;
}

static void load_drop_ins(int root_fd, configuration_problem_fn problem, void *userdata, struct configuration *config) {
        struct drop_in *items = NULL;
        size_t n = 0, n_allocated = 0;

        for (size_t folder = 0; folder < ARRAY_SIZE(folders); folder++)
                if (list_drop_ins(root_fd, folder, &items, &n, &n_allocated) < 0)
                        problem("/" CONFIG_FILE ".d", 0, "cannot be read for lack of memory", userdata);
        if (n > 1)
                qsort(items, n, sizeof(*items), compare_drop_ins);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path =
                        format_string("%s/" CONFIG_FILE ".d/%s", folders[items[i].folder], items[i].name);

                if (path && (i == 0 || strcmp(items[i].name, items[i - 1].name) != 0))
                        (void)load_file(root_fd, path, problem, userdata, config);
        }
        for (size_t i = 0; i < n; i++)
                free(items[i].name);
        free(items);
}

void configuration_load(int root_fd, configuration_problem_fn problem, void *userdata, struct configuration *ret) {
        struct configuration config = configuration_default;

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                _cleanup_free_ char *path = format_string("%s/" CONFIG_FILE, folders[i]);

                if (path && load_file(root_fd, path, problem, userdata, &config))
                        break;
        }
        load_drop_ins(root_fd, problem, userdata, &config);
        *ret = config;
}
