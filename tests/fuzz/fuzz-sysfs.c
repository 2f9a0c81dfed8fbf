/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values of sysfs attributes. The directories are real ones of a small machine, but what a file says is the next part
 * of the input, parts being ended by 0xff; an empty part, and all behind the input's end, is what the file really says.
 */

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "inventory.h"
#include "sysfs.h"
#include "util.h"

#define FDS_MAX 256

static const uint8_t *input;
static size_t input_size;
static bool is_fresh[FDS_MAX]; /* opened and not read yet */
static bool is_replaced[FDS_MAX];

static int fuzz_openat(int dir_fd, const char *path, int flags) {
        int fd = openat(dir_fd, path, flags);

        if (fd >= 0 && fd < FDS_MAX) {
                is_fresh[fd] = true;
                is_replaced[fd] = false;
        }
        return fd;
}

static ssize_t fuzz_read(int fd, void *buffer, size_t size) {
        must(fd < FDS_MAX);
        if (!is_fresh[fd])
                return is_replaced[fd] ? 0 : read(fd, buffer, size);

        is_fresh[fd] = false;
        const uint8_t *end = input_size > 0 ? memchr(input, 0xff, input_size) : NULL;
        size_t n = end ? (size_t)(end - input) : input_size, n_given = n < size ? n : size;
        const uint8_t *part = input;
        input += end ? n + 1 : n;
        input_size -= end ? n + 1 : n;
        if (n == 0)
                return read(fd, buffer, size);

        is_replaced[fd] = true;
        memcpy(buffer, part, n_given);
        return (ssize_t)n_given;
}

static void write_file(const char *root, const char *path, const char *content) {
        char full[512];

        must((size_t)snprintf(full, sizeof(full), "%s/%s", root, path) < sizeof(full));
        for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                mkdir(full, 0755);
                *slash = '/';
        }
        FILE *file = fopen(full, "we");
        must(file);
        must(fputs(content, file) >= 0);
        must(fclose(file) == 0);
}

static char roots[2][32] = { "/dev/shm/memctl-fuzz-XXXXXX", "/dev/shm/memctl-fuzz-XXXXXX" };

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
        (void)status;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void remove_machines(void) {
        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                nftw(roots[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* One for the whole run, with and without the memory_range bus; only a crash leaves them behind. */
static void make_machine(char *root, bool with_bus) {
        char path[128];

        must(mkdtemp(root));
        write_file(root, "sys/devices/system/memory/block_size_bytes", "8000000\n");
        write_file(root, "sys/devices/system/memory/auto_online_blocks", "offline\n");
        write_file(root, "proc/iomem", "140000000-15fffffff : System RAM\n");
        write_file(root, "proc/sys/kernel/arch", "aarch64\n");
        write_file(root, "proc/sys/kernel/osrelease", "6.12.1\n");
        for (int block = 40; block < 44; block++) {
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%d/state", block);
                write_file(root, path, "online\n");
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%d/valid_zones", block);
                write_file(root, path, "Movable\n");
                snprintf(path, sizeof(path), "sys/devices/system/node/node0/memory%d/state", block);
                write_file(root, path, "online\n");
        }
        write_file(root, "sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 524288 kB\n");
        for (int range = 0; with_bus && range < 2; range++) {
                static const char *const names[] = {
                        "start", "size", "node", "name", "mapping_granularity", "removal_granularity"
                };
                const char *const values[] = { range ? "0x150000000\n" : "0x140000000\n",
                                               "268435456\n",
                                               "0\n",
                                               "System RAM\n",
                                               "134217728\n",
                                               "268435456\n" };
                for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%d/%s", range, names[i]);
                        write_file(root, path, values[i]);
                }
        }
}

static void check_inventory(const struct inventory *inventory) {
        must(is_power_of_two(inventory->block_size_bytes));
        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = &inventory->extents.items[i];
                must(extent->n_blocks > 0);
                must(i == 0 || extent_end(extent - 1) <= extent->first_block);
                must(extent->range == RANGE_NONE || extent->range < inventory->n_ranges);
                must((extent->kind == KIND_HOT_ADDED) <= (extent->range != RANGE_NONE));
                for (uint64_t block = extent->first_block; block < extent_end(extent); block++) {
                        struct span unit = inventory_unit_of(inventory, block);
                        must(block >= unit.first_block && block < span_end(&unit));
                }
        }
        for (size_t i = 0; i < inventory->n_ranges; i++)
                must(inventory->ranges[i].name && inventory->ranges[i].span.n_blocks > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct sysfs_ops ops = {
                .openat = fuzz_openat,
                .read = fuzz_read,
                .write = write,
                .readlinkat = readlinkat,
                .close = close,
                .pread = pread,
        };
        static bool made;

        if (!made) {
                make_machine(roots[0], false);
                make_machine(roots[1], true);
                must(atexit(remove_machines) == 0);
                made = true;
        }
        if (size == 0)
                return 0;

        struct sysfs sysfs;
        struct inventory *inventory = NULL, *again = NULL;
        must(sysfs_open(roots[*data & 1], &ops, &sysfs) == 0);
        input = data + 1;
        input_size = size - 1;
        struct inventory_options options = { .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY, .n_threads = 1 };
        if (inventory_read(&sysfs, &options, &inventory) == 0) {
                check_inventory(inventory);
                for (uint64_t number = 0; number < 3; number++)
                        inventory_refresh_range(inventory, &sysfs, number);
                inventory_refresh_blocks(inventory, &sysfs, (struct span){ 39, 6 });
                check_inventory(inventory);
                options.previous = inventory;
                if (inventory_read(&sysfs, &options, &again) == 0)
                        check_inventory(again);
        }
        inventory_free(inventory);
        inventory_free(again);
        sysfs_close(&sysfs);
        return 0;
}
