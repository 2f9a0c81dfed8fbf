/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "runtime.h"

#define FOLDER "jobs"
#define SUFFIX ".journal"
/* Six lines of up to 96: an intent and a result forward, the same back, and once more for a zone that came out wrong.
 */
#define BYTES_PER_BLOCK UINT64_C(576)
#define END_BYTES       4096
/* How the line of an intent begins, and that of a result. */
#define INTENT "{\"intent\":%" PRIu64 ","
#define RESULT "{\"result\":%" PRIu64 ",\"errno\":%d}"

static char *path_of(uint64_t job_id) {
        return format_string("%s/" FOLDER "/%" PRIu64 SUFFIX, runtime_directory(), job_id);
}

static int make_folder(void) {
        _cleanup_free_ char *path = format_string("%s/" FOLDER, runtime_directory());

        if (!path)
                return -ENOMEM;
        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_line(int fd, const char *line) {
        _cleanup_free_ char *text = format_string("%s\n", line);
        ssize_t n;

        if (!text)
                return -ENOMEM;
        /* In one piece: what a crash cuts is the last line, which then does not count. */
        n = write(fd, text, strlen(text));
        if (n < 0)
                return -errno;
        if ((size_t)n != strlen(text)) {
                /* The next line must not be joined to half of this one: then neither could be read. */
                return ftruncate(fd, lseek(fd, 0, SEEK_CUR) - n) < 0 ? -errno : -ENOSPC;
        }
        return 0;
}

static int fill(int fd, const char *record, uint64_t n_blocks) {
        off_t size = (off_t)(strlen(record) + n_blocks * BYTES_PER_BLOCK + END_BYTES);

        if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) < 0 && errno != EOPNOTSUPP)
                return -errno;
        return write_line(fd, record);
}

int journal_create(uint64_t job_id, const char *record, uint64_t n_blocks) {
        _cleanup_free_ char *path = path_of(job_id), *temporary = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        r = make_folder();
        if (r < 0)
                return r;
        temporary = path ? format_string("%s.new", path) : NULL;
        if (!temporary)
                return -ENOMEM;
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        r = fill(fd, record, n_blocks);
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r;
}

int journal_append(uint64_t job_id, const char *line) {
        _cleanup_free_ char *path = path_of(job_id);
        _cleanup_close_ int fd = -1;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        return fd < 0 ? -errno : write_line(fd, line);
}

void journal_remove(uint64_t job_id) {
        _cleanup_free_ char *path = path_of(job_id);

        if (path)
                (void)unlink(path);
}

int journal_open_locked(uint64_t job_id) {
        _cleanup_free_ char *path = path_of(job_id);
        _cleanup_close_ int fd = -1;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return take_fd(&fd);
}

int journal_write_intent(int fd, uint64_t block, enum block_state state, enum block_zone zone, const char *word) {
        char line[160];

        snprintf(line, sizeof(line), INTENT "\"state\":\"%s\",\"zone\":\"%s\",\"word\":\"%s\"}", block,
                 block_state_to_string(state), block_zone_to_string(zone), word);
        return write_line(fd, line);
}

int journal_write_result(int fd, uint64_t block, int error) {
        char line[80];

        snprintf(line, sizeof(line), RESULT, block, error);
        return write_line(fd, line);
}

int journal_write_trigger(int fd, uint64_t block) {
        char line[48];

        snprintf(line, sizeof(line), "{\"trigger\":%" PRIu64 "}", block);
        return write_line(fd, line);
}

int journal_write_triggered(int fd, uint64_t block, int error) {
        char line[80];

        snprintf(line, sizeof(line), "{\"triggered\":%" PRIu64 ",\"errno\":%d}", block, error);
        return write_line(fd, line);
}

#define POOL_LINE           "{\"pool\":%d,\"size-kib\":%" PRIu64 ",\"pages\":%" PRIu64 "}"
#define POOLS_RESTORED_LINE "{\"pools-restored\":true}"

int journal_write_pool(int fd, int node, uint64_t page_size_kib, uint64_t n_pages) {
        char line[96];

        snprintf(line, sizeof(line), POOL_LINE, node, page_size_kib, n_pages);
        return write_line(fd, line);
}

bool journal_parse_pool(const char *line, int *ret_node, uint64_t *ret_page_size_kib, uint64_t *ret_n_pages) {
        return sscanf(line, "{\"pool\":%d,\"size-kib\":%" SCNu64 ",\"pages\":%" SCNu64 "}", ret_node, ret_page_size_kib,
                      ret_n_pages) == 3;
}

int journal_write_pools_restored(int fd) {
        return write_line(fd, POOLS_RESTORED_LINE);
}

bool journal_is_pools_restored(const char *line) {
        return strncmp(line, POOLS_RESTORED_LINE, strlen(POOLS_RESTORED_LINE)) == 0;
}

int journal_read(int fd, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        text = calloc(1, (size_t)st.st_size + 1);
        if (!text)
                return -ENOMEM;
        while (size < (size_t)st.st_size) {
                ssize_t n = pread(fd, text + size, (size_t)st.st_size - size, (off_t)size);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

static int read_text(const char *path, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t n_allocated = 0;
        FILE *file = fopen(path, "re");
        ssize_t n;

        if (!file)
                return -errno;
        n = getdelim(&text, &n_allocated, '\0', file);
        fclose(file);
        if (n < 0)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

static int load_entry(const char *name, journal_fn each, void *userdata) {
        size_t length = strlen(name), suffix = strlen(SUFFIX);
        _cleanup_free_ char *path = NULL, *text = NULL;
        uint64_t job_id;

        if (length <= suffix || strcmp(name + length - suffix, SUFFIX) != 0 ||
            parse_u64(name, length - suffix, 10, &job_id) < 0)
                return 0;
        path = path_of(job_id);
        if (!path)
                return -ENOMEM;
        if (read_text(path, &text) >= 0)
                each(job_id, text, userdata);
        return 0;
}

enum journal_write journal_find_write(uint64_t job_id, uint64_t block) {
        _cleanup_free_ char *path = path_of(job_id), *text = NULL;
        _cleanup_free_ char *intent = format_string(INTENT, block), *done = format_string(RESULT, block, 0);

        if (!path || !intent || !done || read_text(path, &text) < 0 || !text)
                return JOURNAL_WRITE_BEGUN;
        if (!strstr(text, intent))
                return JOURNAL_WRITE_NOT_BEGUN;
        return strstr(text, done) ? JOURNAL_WRITE_DONE : JOURNAL_WRITE_BEGUN;
}

int journal_load_all(journal_fn each, void *userdata) {
        _cleanup_free_ char *path = format_string("%s/" FOLDER, runtime_directory());
        struct dirent **entries;
        int n, r = 0;

        if (!path)
                return -ENOMEM;
        /* In order, so that jobs come back in the order they had. */
        n = scandir(path, &entries, NULL, versionsort);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = load_entry(entries[i]->d_name, each, userdata);
                free(entries[i]);
        }
        free(entries);
        return r;
}
