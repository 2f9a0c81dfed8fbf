/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node-memory.h"
#include "util.h"

struct node_list {
        int *items;
        size_t n;
        size_t n_allocated;
};

static int append_node(const char *name, void *userdata) {
        struct node_list *list = userdata;
        uint64_t number;

        if (parse_prefixed_number(name, "node", &number) < 0 || number > INT32_MAX)
                return 0;

        int *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        items[list->n++] = (int)number;
        return 0;
}

static int compare_nodes(const void *a, const void *b) {
        const int *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

int nodes_list(const struct sysfs *sysfs, int **ret, size_t *ret_n) {
        struct node_list list = { 0 };

        int r = sysfs_list(sysfs, SYSFS_NODE, append_node, &list);
        if (r < 0 && r != -ENOENT) {
                free(list.items);
                return r;
        }
        if (list.n > 1)
                qsort(list.items, list.n, sizeof(*list.items), compare_nodes);
        *ret = list.items;
        *ret_n = list.n;
        return 0;
}

/* The number of the line "Node 0 KEY:   123 kB", or 0. */
static uint64_t meminfo_value(const char *meminfo, const char *key) {
        size_t n = strlen(key);

        for (const char *line = meminfo; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *at = line;
                if (strncmp(at, "Node ", 5) == 0) {
                        at += 5 + strspn(at + 5, "0123456789");
                        at += *at == ' ';
                }
                if (strncmp(at, key, n) != 0 || at[n] != ':')
                        continue;

                uint64_t value;
                at += n + 1;
                at += strspn(at, " ");
                return parse_u64(at, strspn(at, "0123456789"), 10, &value) == 0 ? value : 0;
        }
        return 0;
}

static uint64_t meminfo_bytes(const char *meminfo, const char *key) {
        uint64_t kib = meminfo_value(meminfo, key);

        return kib <= UINT64_MAX / 1024 / 8 ? kib * 1024 : 0;
}

struct node_memory node_memory_parse(const char *meminfo) {
        return (struct node_memory){
                .node = NODE_NONE,
                .total_bytes = meminfo_bytes(meminfo, "MemTotal"),
                .free_bytes = meminfo_bytes(meminfo, "MemFree"),
                .reclaimable_bytes = meminfo_bytes(meminfo, "Active(file)") + meminfo_bytes(meminfo, "Inactive(file)") +
                                     meminfo_bytes(meminfo, "SReclaimable"),
                .free_huge_pages = meminfo_value(meminfo, "HugePages_Free"),
        };
}

int node_memory_read(const struct sysfs *sysfs, const int *nodes, size_t n_nodes, struct node_memory **ret,
                     size_t *ret_n) {
        size_t n = 0;

        struct node_memory *items = calloc(MAX(n_nodes, (size_t)1), sizeof(*items));
        if (!items)
                return -ENOMEM;

        for (size_t i = 0; i < MAX(n_nodes, (size_t)1); i++) {
                _cleanup_free_ char *meminfo = NULL;
                char path[64] = "proc/meminfo";
                if (n_nodes > 0)
                        snprintf(path, sizeof(path), SYSFS_NODE "/node%d/meminfo", nodes[i]);
                ssize_t length = sysfs_read_all(sysfs, path, &meminfo);
                if (length == -ENOMEM) {
                        free(items);
                        return -ENOMEM;
                }
                if (length < 0)
                        continue;
                items[n] = node_memory_parse(meminfo);
                items[n++].node = n_nodes > 0 ? nodes[i] : NODE_NONE;
        }

        *ret = items;
        *ret_n = n;
        return 0;
}
