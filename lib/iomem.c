/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "iomem.h"
#include "util.h"

#define SYSTEM_RAM "System RAM"
/* CXL Window, region, dax device, System RAM, Kernel code: five; more cannot matter here. */
#define DEPTH_MAX 16

struct line {
        unsigned depth;
        uint64_t start, last;
        const char *name;
        size_t name_length;
};

void iomem_clear(struct iomem *iomem) {
        if (!iomem)
                return;

        for (size_t i = 0; i < iomem->n; i++) {
                free(iomem->items[i].name);
                free(iomem->items[i].device);
        }
        free(iomem->items);
        *iomem = (struct iomem){ 0 };
}

enum range_driver driver_of_resource_name(const char *name) {
        if (strcmp(name, SYSTEM_RAM " (kmem)") == 0)
                return DRIVER_DAX;
        if (strcmp(name, SYSTEM_RAM " (virtio_mem)") == 0)
                return DRIVER_VIRTIO_MEM;
        return DRIVER_OTHER;
}

/* "  40000000-7fffffff : System RAM", two spaces a level. */
static bool parse_line(const char *text, size_t length, struct line *ret) {
        const char *end = text + length, *at = text;

        while (at < end && *at == ' ')
                at++;
        const char *dash = memchr(at, '-', (size_t)(end - at));
        const char *colon = memmem(at, (size_t)(end - at), " : ", 3);
        if (!dash || !colon || dash > colon)
                return false;

        struct line line = { .depth = (unsigned)(at - text) / 2, .name = colon + 3 };
        line.name_length = (size_t)(end - line.name);
        if (parse_u64(at, (size_t)(dash - at), 16, &line.start) < 0 ||
            parse_u64(dash + 1, (size_t)(colon - dash - 1), 16, &line.last) < 0 || line.last < line.start)
                return false;

        *ret = line;
        return true;
}

static bool name_starts_with(const struct line *line, const char *prefix) {
        return line->name_length >= strlen(prefix) && strncmp(line->name, prefix, strlen(prefix)) == 0;
}

static bool is_proof_of_boot_memory(const struct line *line) {
        return name_starts_with(line, "Kernel ") || name_starts_with(line, "Crash kernel") ||
               name_starts_with(line, "reserved") || name_starts_with(line, "Reserved");
}

/* A device's line: "dax0.0", "virtio3". */
static bool is_device_of(const struct line *line, enum range_driver driver) {
        return (driver == DRIVER_DAX && name_starts_with(line, "dax")) ||
               (driver == DRIVER_VIRTIO_MEM && name_starts_with(line, "virtio"));
}

static int add_entry(struct iomem *iomem, const struct line *line, const struct line *parent,
                     uint64_t block_size_bytes) {
        struct iomem_entry *items = reallocarray(iomem->items, iomem->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        iomem->items = items;

        struct iomem_entry entry = { .name = strndup(line->name, line->name_length) };
        if (!entry.name)
                return -ENOMEM;

        entry.driver = driver_of_resource_name(entry.name);
        if (parent && is_device_of(parent, entry.driver)) {
                entry.device = strndup(parent->name, parent->name_length);
                if (!entry.device) {
                        free(entry.name);
                        return -ENOMEM;
                }
        }

        uint64_t first = line->start / block_size_bytes;
        entry.span = (struct span){ first, line->last / block_size_bytes - first + 1 };
        bool aligned = line->start % block_size_bytes == 0 && line->last % block_size_bytes == block_size_bytes - 1;
        if (strcmp(entry.name, SYSTEM_RAM) != 0)
                entry.kind = KIND_HOT_ADDED;
        else
                entry.kind = aligned ? KIND_UNKNOWN : KIND_BOOT;
        items[iomem->n++] = entry;
        return 0;
}

int iomem_parse(const char *text, uint64_t block_size_bytes, struct iomem *ret) {
        _cleanup_(iomem_clear) struct iomem iomem = { 0 };
        struct line parents[DEPTH_MAX];
        unsigned n_parents = 0, ram_depth = DEPTH_MAX;

        for (const char *at = text; *at != '\0';) {
                size_t length = strcspn(at, "\n");
                struct line line;
                bool valid = parse_line(at, length, &line);
                at += length + (at[length] == '\n');
                if (!valid || line.depth >= DEPTH_MAX || line.depth > n_parents)
                        continue;

                n_parents = line.depth + 1;
                parents[line.depth] = line;
                iomem.readable |= line.last != 0;
                if (line.depth <= ram_depth)
                        ram_depth = DEPTH_MAX;
                else if (is_proof_of_boot_memory(&line) && iomem.items[iomem.n - 1].kind == KIND_UNKNOWN)
                        iomem.items[iomem.n - 1].kind = KIND_BOOT;

                if (ram_depth == DEPTH_MAX && name_starts_with(&line, SYSTEM_RAM)) {
                        const struct line *parent = line.depth > 0 ? &parents[line.depth - 1] : NULL;
                        int r = add_entry(&iomem, &line, parent, block_size_bytes);
                        if (r < 0)
                                return r;
                        ram_depth = line.depth;
                }
        }

        *ret = iomem;
        iomem = (struct iomem){ 0 };
        return 0;
}
