/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy-file.h"
#include "policy.h"
#include "util.h"

#define POLICY_SUFFIX  ".policy"
#define DROP_IN_SUFFIX ".conf"
/* A policy has a dozen keys. */
#define FILE_SIZE_MAX (64U << 10)
#define PATH_SIZE     4096

/* Best first. */
static const char *const directories[] = { "etc/memctl/policy.d", "run/memctl/policy.d", "usr/lib/memctl/policy.d" };

/* The default's strings are constants and never freed: policy_clear() is for policies that were read. */
const struct policy policy_default = {
        .name = (char *)"",
        .file = (char *)"",
        .match_node = NODE_NONE,
        .match_driver = -1,
        .mode = POLICY_MODE_MANUAL,
        .zone = ONLINE_ZONE_MOVABLE,
        .partial_allowed = true,
        .keep_available_percent = 5,
        .timeout_usec = UINT64_C(60) * 1000000,
        .remove_allowed = true,
};

void policy_clear(struct policy *policy) {
        if (!policy)
                return;

        free(policy->name);
        free(policy->file);
        free(policy->match_name);
        *policy = (struct policy){ 0 };
}

void policy_set_clear(struct policy_set *set) {
        if (!set)
                return;

        for (size_t i = 0; i < set->n; i++)
                policy_clear(&set->items[i]);
        free(set->items);
        *set = (struct policy_set){ 0 };
}

void policy_problems_clear(struct policy_problems *problems) {
        if (!problems)
                return;

        for (size_t i = 0; i < problems->n; i++) {
                free(problems->items[i].file);
                free(problems->items[i].message);
        }
        free(problems->items);
        *problems = (struct policy_problems){ 0 };
}

/* A file that counts: of its name in all directories, the one in the best. */
struct found {
        char *name; /* "50-cxl.policy", "10-local.conf" */
        char *path; /* below the root, without a slash in front */
};

struct found_list {
        struct found *items;
        size_t n;
        size_t n_allocated;
};

static void found_list_clear(struct found_list *list) {
        for (size_t i = 0; i < list->n; i++) {
                free(list->items[i].name);
                free(list->items[i].path);
        }
        free(list->items);
}

static bool has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), n_suffix = strlen(suffix);

        return name[0] != '.' && n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

static bool is_found(const struct found_list *list, const char *name) {
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i].name, name) == 0)
                        return true;
        return false;
}

static int find_in(struct found_list *list, int root_fd, const char *directory, const char *suffix) {
        int fd = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        DIR *stream = fdopendir(fd);
        if (!stream) {
                close(fd);
                return -ENOMEM;
        }

        int r = 0;
        for (const struct dirent *entry; r == 0 && (entry = readdir(stream));) {
                if (!has_suffix(entry->d_name, suffix) || is_found(list, entry->d_name))
                        continue;

                struct found *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof(*items));
                if (!items) {
                        r = -ENOMEM;
                        break;
                }
                list->items = items;
                struct found found = { strdup(entry->d_name), format_string("%s/%s", directory, entry->d_name) };
                items[list->n++] = found;
                if (!found.name || !found.path)
                        r = -ENOMEM;
        }
        closedir(stream);
        return r;
}

static int compare_found(const void *a, const void *b) {
        const struct found *x = a, *y = b;

        return strcmp(x->name, y->name);
}

/* All files with the suffix in the policy directories, or in a folder of each, in name order. */
static int find_files(int root_fd, const char *folder, const char *suffix, struct found_list *ret) {
        char path[PATH_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                snprintf(path, sizeof(path), "%s%s%s", directories[i], folder ? "/" : "", folder ? folder : "");
                int r = find_in(ret, root_fd, path, suffix);
                if (r < 0)
                        return r;
        }
        if (ret->n > 1)
                qsort(ret->items, ret->n, sizeof(*ret->items), compare_found);
        return 0;
}

static bool is_masked(int root_fd, const char *path) {
        char target[sizeof("/dev/null")];

        ssize_t n = readlinkat(root_fd, path, target, sizeof(target));
        return n == (ssize_t)sizeof(target) - 1 && memcmp(target, "/dev/null", (size_t)n) == 0;
}

/* Reads a regular file as text. Returns 0, -errno; *ret_problem says in words what is wrong with a file that is none.
 */
static int read_text(int root_fd, const char *path, char **ret, const char **ret_problem) {
        struct stat status;

        /* Not to wait for a writer where someone made it a fifo. */
        int fd = openat(root_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
                *ret_problem = strerror(errno);
                return -errno;
        }

        int r = -EINVAL;
        char *text = calloc(1, FILE_SIZE_MAX + 1);
        if (!text)
                r = -ENOMEM;
        else if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                *ret_problem = "this is no regular file";
        else {
                ssize_t n = read(fd, text, FILE_SIZE_MAX + 1);
                if (n < 0)
                        *ret_problem = strerror(errno);
                else if (n > (ssize_t)FILE_SIZE_MAX)
                        *ret_problem = "a policy file may not be larger than 64 KiB";
                else if (memchr(text, '\0', (size_t)n))
                        *ret_problem = "this is no text: it holds a NUL byte";
                else
                        r = 0;
        }
        close(fd);
        if (r < 0) {
                free(text);
                return r;
        }
        *ret = text;
        return 0;
}

/* Returns 0; 1 where the file is masked or broken (a problem is then added); -ENOMEM. */
static int apply_file(int root_fd, const char *path, struct policy *policy, struct policy_problems *problems) {
        _cleanup_free_ char *text = NULL, *full = NULL;
        const char *problem = NULL;

        if (is_masked(root_fd, path))
                return 1;
        full = format_string("/%s", path);
        if (!full)
                return -ENOMEM;

        int r = read_text(root_fd, path, &text, &problem);
        if (r < 0 && r != -ENOMEM)
                return policy_problems_add(problems, full, 0, "%s", problem) < 0 ? -ENOMEM : 1;
        if (r == 0)
                r = policy_apply(policy, full, text, problems);
        return r == -EINVAL ? 1 : r;
}

static int apply_drop_ins(int root_fd, const char *policy_file, struct policy *policy,
                          struct policy_problems *problems) {
        _cleanup_(found_list_clear) struct found_list found = { 0 };
        char folder[PATH_SIZE / 2];

        snprintf(folder, sizeof(folder), "%s.d", policy_file);
        int r = find_files(root_fd, folder, DROP_IN_SUFFIX, &found);
        for (size_t i = 0; r >= 0 && i < found.n; i++)
                r = apply_file(root_fd, found.items[i].path, policy, problems);
        return r < 0 ? r : 0;
}

/* Returns 1 and a policy, 0 without one, -ENOMEM. */
static int load_policy(int root_fd, const struct found *found, struct policy *ret, struct policy_problems *problems) {
        _cleanup_(policy_clear) struct policy policy = policy_default;

        policy.name = strndup(found->name, strlen(found->name) - strlen(POLICY_SUFFIX));
        policy.file = format_string("/%s", found->path);
        if (!policy.name || !policy.file)
                return -ENOMEM;

        int r = apply_file(root_fd, found->path, &policy, problems);
        if (r == 0)
                r = apply_drop_ins(root_fd, found->name, &policy, problems);
        if (r != 0)
                return r < 0 ? r : 0;

        *ret = policy;
        policy = (struct policy){ 0 };
        return 1;
}

int policy_set_load(int root_fd, struct policy_set *ret, struct policy_problems *problems) {
        _cleanup_(found_list_clear) struct found_list found = { 0 };
        _cleanup_(policy_set_clear) struct policy_set set = { 0 };

        int r = find_files(root_fd, NULL, POLICY_SUFFIX, &found);
        if (r < 0)
                return r;
        set.items = calloc(MAX(found.n, (size_t)1), sizeof(*set.items));
        if (!set.items)
                return -ENOMEM;

        for (size_t i = 0; i < found.n; i++) {
                r = load_policy(root_fd, &found.items[i], &set.items[set.n], problems);
                if (r < 0)
                        return r; /* cppcheck-suppress memleak ; policy_set_clear() frees it */
                set.n += (size_t)r;
        }
        *ret = set;
        set = (struct policy_set){ 0 };
        return 0;
}

static bool policy_fits(const struct policy *policy, const struct range *range, uint64_t block_size_bytes) {
        if (policy->match_name && fnmatch(policy->match_name, range->name, 0) != 0)
                return false;
        if (policy->match_node != NODE_NONE && policy->match_node != range->node)
                return false;
        if (policy->match_driver >= 0 && policy->match_driver != (int)range->driver)
                return false;
        return range->span.n_blocks * block_size_bytes >= policy->match_minimum_size_bytes;
}

const struct policy *policy_set_find(const struct policy_set *set, const struct range *range, uint64_t block_size_bytes,
                                     const char *udev_name) {
        for (size_t i = 0; udev_name && i < set->n; i++)
                if (strcmp(set->items[i].name, udev_name) == 0)
                        return &set->items[i];
        for (size_t i = 0; i < set->n; i++)
                if (policy_fits(&set->items[i], range, block_size_bytes))
                        return &set->items[i];
        return &policy_default;
}
