/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "udev-rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "udev.h"

static const struct folder {
        const char *path;
        bool is_edited; /* files change in place; in the others packages replace them, which the folder's time shows */
} folders[] = {
        { "/etc/udev/rules.d", true },      { "/run/udev/rules.d", true },  { "/usr/local/lib/udev/rules.d", true },
        { "/usr/lib/udev/rules.d", false }, { "/lib/udev/rules.d", false },
};

/* Says whether to go on. So do the walks, which end where something cannot be read. */
typedef bool (*file_fn)(int folder_fd, const char *name, void *userdata);

static bool walk(const struct folder *folder, file_fn each, void *userdata) {
        DIR *stream = opendir(folder->path);
        struct dirent *entry;
        bool goes_on = true;

        if (!stream)
                return errno == ENOENT;
        errno = 0;
        while (goes_on && (entry = readdir(stream))) {
                const char *suffix = strrchr(entry->d_name, '.');

                if (suffix && strcmp(suffix, ".rules") == 0)
                        goes_on = each(dirfd(stream), entry->d_name, userdata);
                errno = 0;
        }
        goes_on = goes_on && errno == 0;
        closedir(stream);
        return goes_on;
}

static void mix(uint64_t *fingerprint, const void *bytes, size_t size) {
        /* FNV-1a */
        for (size_t i = 0; i < size; i++)
                *fingerprint = (*fingerprint ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static bool mix_file(int folder_fd, const char *name, void *userdata) {
        struct stat st;

        mix(userdata, name, strlen(name));
        if (fstatat(folder_fd, name, &st, 0) < 0)
                return true;
        mix(userdata, &st.st_ino, sizeof(st.st_ino));
        mix(userdata, &st.st_size, sizeof(st.st_size));
        mix(userdata, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
        mix(userdata, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
        return true;
}

static bool take_fingerprint(uint64_t *ret) {
        *ret = UINT64_C(0xcbf29ce484222325);
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                (void)mix_file(AT_FDCWD, folders[i].path, ret);
                if (folders[i].is_edited && !walk(&folders[i], mix_file, ret))
                        return false;
        }
        return true;
}

static bool is_silent(int folder_fd, const char *name, void *userdata) {
        _cleanup_close_ int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        _cleanup_free_ char *line = NULL;
        size_t n_allocated = 0;
        bool names_it = false;
        FILE *file;

        (void)userdata;
        /* A link to nowhere, and one to /dev/null, has nothing to say. */
        if (fd < 0)
                return errno == ENOENT;
        file = fdopen(fd, "r");
        if (!file)
                return false;
        (void)take_fd(&fd);
        while (!names_it && getline(&line, &n_allocated, file) >= 0)
                names_it = strstr(line, UDEV_POLICY_PROPERTY);
        names_it = names_it || !feof(file);
        fclose(file);
        return !names_it;
}

static bool all_are_silent(void) {
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (!walk(&folders[i], is_silent, NULL))
                        return false;
        return true;
}

bool udev_rules_choose(struct udev_rules *rules) {
        uint64_t fingerprint;

        if (!take_fingerprint(&fingerprint))
                return true;
        if (!rules->is_known || rules->fingerprint != fingerprint)
                *rules = (struct udev_rules){ true, !all_are_silent(), fingerprint };
        return rules->choose;
}
