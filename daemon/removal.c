/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "removal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "logical-memory-block.h"

#define PATH_SIZE 128

static int eject(const struct sysfs *sysfs, const char *device, uint64_t block) {
        char path[PATH_SIZE];

        (void)block;
        snprintf(path, sizeof(path), "sys/bus/acpi/devices/%s/eject", device);
        return sysfs_write_at(sysfs, sysfs->root_fd, path, "1");
}

static int unbind(const struct sysfs *sysfs, const char *device, uint64_t block) {
        (void)block;
        return sysfs_write_at(sysfs, sysfs->root_fd, "sys/bus/dax/drivers/kmem/unbind", device);
}

static int remove_logical_memory_block(const struct sysfs *sysfs, const char *device, uint64_t block) {
        char command[40];
        uint64_t block_size_bytes;
        uint32_t index;
        int r;

        (void)device;
        r = sysfs_read_u64_at(sysfs, sysfs->root_fd, SYSFS_MEMORY "/block_size_bytes", 16, &block_size_bytes);
        if (r == 0)
                r = logical_memory_block_index(sysfs, block * block_size_bytes, &index);
        if (r < 0)
                return r;
        snprintf(command, sizeof(command), "memory remove index 0x%08" PRIx32, index);
        return sysfs_write_at(sysfs, sysfs->root_fd, "sys/kernel/dlpar", command);
}

static int deconfigure(const struct sysfs *sysfs, const char *device, uint64_t block) {
        char path[PATH_SIZE];

        (void)device;
        snprintf(path, sizeof(path), "sys/firmware/memory/memory%" PRIu64 "/config", block);
        return sysfs_write_at(sysfs, sysfs->root_fd, path, "0");
}

static const struct {
        int (*pull)(const struct sysfs *sysfs, const char *device, uint64_t block);
        bool takes_device;
        bool is_immediate;
} triggers[_RANGE_DRIVER_MAX] = {
        [DRIVER_ACPI] = { eject, true, false },
        [DRIVER_DAX] = { unbind, true, true },
        [DRIVER_PSERIES] = { remove_logical_memory_block, false, true },
        [DRIVER_S390] = { deconfigure, false, true },
};

bool removal_takes_device(enum range_driver driver) {
        return triggers[driver].takes_device;
}

bool removal_is_immediate(enum range_driver driver) {
        return triggers[driver].is_immediate;
}

int removal_trigger(const struct sysfs *sysfs, enum range_driver driver, const char *device, uint64_t block) {
        int r;

        if (driver >= _RANGE_DRIVER_MAX || !triggers[driver].pull)
                return -EOPNOTSUPP;
        /* It becomes a part of a path. */
        if (triggers[driver].takes_device && (device[0] == '\0' || device[0] == '.' || strchr(device, '/')))
                return -EINVAL;
        /* A signal of ours ends the whole process, so an EINTR that is seen here was somebody else's. */
        do
                r = triggers[driver].pull(sysfs, device, block);
        while (r == -EINTR);
        return r;
}
