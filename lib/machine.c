/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "util.h"

/* The first CPU's entry: /proc/cpuinfo of a large machine is long, and the kernel computes it as it is read. */
#define CPUINFO_START (8U << 10)

static enum machine_arch arch_from_string(const char *name) {
        if (strcmp(name, "aarch64") == 0 || strcmp(name, "arm64") == 0)
                return ARCH_ARM64;
        return strcmp(name, "x86_64") == 0 ? ARCH_X86_64 : ARCH_OTHER;
}

static enum machine_arch running_arch(void) {
        struct utsname name;

        return uname(&name) == 0 ? arch_from_string(name.machine) : ARCH_OTHER;
}

static bool is_running_system(const struct sysfs *sysfs) {
        struct stat root, here;

        return fstat(sysfs->root_fd, &here) == 0 && stat("/", &root) == 0 && here.st_dev == root.st_dev &&
               here.st_ino == root.st_ino;
}

/* The value of the line "key\t: value", up to its end; NULL if there is none. */
static const char *cpuinfo_line(const char *cpuinfo, const char *key) {
        size_t n = strlen(key);

        for (const char *line = cpuinfo; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && (line[n] == '\t' || line[n] == ' ' || line[n] == ':'))
                        return line + n;
        }
        return NULL;
}

static bool line_has_word(const char *line, const char *word) {
        size_t n = strlen(word);
        const char *end = strchrnul(line, '\n');

        for (const char *at = strstr(line, word); at && at < end; at = strstr(at + n, word))
                if (at > line && at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n' || at[n] == '\0'))
                        return true;
        return false;
}

static enum machine_arch read_arch(const struct sysfs *sysfs, const char *cpuinfo) {
        char name[64];

        if (sysfs_read_at(sysfs, sysfs->root_fd, "proc/sys/kernel/arch", name, sizeof(name)) > 0)
                return arch_from_string(name);
        if (!is_running_system(sysfs)) {
                const char *flags = cpuinfo_line(cpuinfo, "flags");
                if (cpuinfo_line(cpuinfo, "CPU implementer"))
                        return ARCH_ARM64;
                if (flags && line_has_word(flags, "lm"))
                        return ARCH_X86_64;
        }
        return running_arch();
}

static uint64_t guess_page_size(enum machine_arch arch, uint64_t block_size_bytes) {
        return arch == ARCH_ARM64 && block_size_bytes > (UINT64_C(128) << 20) ? 65536 : 4096;
}

struct machine machine_read(const struct sysfs *sysfs, uint64_t block_size_bytes, uint64_t page_size_bytes) {
        char cpuinfo[CPUINFO_START] = "";
        if (sysfs_read_start_at(sysfs, sysfs->root_fd, "proc/cpuinfo", cpuinfo, sizeof(cpuinfo)) < 0)
                cpuinfo[0] = '\0';

        struct machine machine = { .arch = read_arch(sysfs, cpuinfo), .page_size_bytes = page_size_bytes };
        if (page_size_bytes == 0) {
                bool running = is_running_system(sysfs) && machine.arch == running_arch();
                machine.page_size_bytes =
                        running ? (uint64_t)sysconf(_SC_PAGESIZE) : guess_page_size(machine.arch, block_size_bytes);
        }

        const char *flags = cpuinfo_line(cpuinfo, "flags");
        machine.has_1g_pages = !flags || line_has_word(flags, "pdpe1gb");
        return machine;
}

static bool directory_exists(const struct sysfs *sysfs, const char *path) {
        int fd = sysfs_open_directory(sysfs, path);

        sysfs_close_fd(sysfs, fd);
        return fd >= 0;
}

enum kernel_guard kernel_guard_read(const struct sysfs *sysfs, const struct machine *machine) {
        char release[128];
        unsigned major, minor;

        if (directory_exists(sysfs, SYSFS_MEMORY_RANGE))
                return GUARD_REMOVAL;
        if (sysfs_read_at(sysfs, sysfs->root_fd, "proc/sys/kernel/osrelease", release, sizeof(release)) < 0 ||
            sscanf(release, "%u.%u", &major, &minor) != 2)
                return GUARD_UNKNOWN;
        if (machine->arch == ARCH_ARM64 && (major > 7 || (major == 7 && minor >= 1)))
                return GUARD_OFFLINE;
        return GUARD_NONE;
}

enum range_driver platform_driver_read(const struct sysfs *sysfs) {
        char dlpar[2];

        if (directory_exists(sysfs, "sys/firmware/memory"))
                return DRIVER_S390;
        return sysfs_read_start_at(sysfs, sysfs->root_fd, "sys/kernel/dlpar", dlpar, sizeof(dlpar)) >= 0
                       ? DRIVER_PSERIES
                       : DRIVER_OTHER;
}

void auto_online_read(const struct sysfs *sysfs, char ret[static AUTO_ONLINE_SIZE]) {
        if (sysfs_read_at(sysfs, sysfs->root_fd, SYSFS_MEMORY "/auto_online_blocks", ret, AUTO_ONLINE_SIZE) < 0)
                ret[0] = '\0';
}

static const char *const guard_words[_KERNEL_GUARD_MAX] = {
        [GUARD_REMOVAL] = "removal",
        [GUARD_OFFLINE] = "offline",
        [GUARD_NONE] = "none",
        [GUARD_UNKNOWN] = "unknown",
};

const char *kernel_guard_to_string(enum kernel_guard guard) {
        return word_of(guard_words, _KERNEL_GUARD_MAX, (int)guard);
}
