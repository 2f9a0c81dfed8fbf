/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "huge-pages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "journal.h"
#include "log.h"
#include "node-memory.h"

#define PATH_SIZE 128

static void pool_path(const struct huge_page_pool *pool, const char *file, char path[static PATH_SIZE]) {
        (void)snprintf(path, PATH_SIZE, SYSFS_NODE "/node%d/hugepages/hugepages-%" PRIu64 "kB/%s", pool->node,
                       pool->page_size_kib, file);
}

/* How many pages the pool has now. Surplus pages are no part of it: they go by themselves when they are freed. */
static int count_pages(const struct sysfs *sysfs, const struct huge_page_pool *pool, uint64_t *ret) {
        uint64_t n, n_surplus;
        char path[PATH_SIZE];
        int r;

        pool_path(pool, "nr_hugepages", path);
        r = sysfs_read_u64_at(sysfs, sysfs->root_fd, path, 10, &n);
        if (r < 0)
                return r;
        pool_path(pool, "surplus_hugepages", path);
        if (sysfs_read_u64_at(sysfs, sysfs->root_fd, path, 10, &n_surplus) < 0)
                n_surplus = 0;
        *ret = n - MIN(n, n_surplus);
        return 0;
}

static int append(struct huge_page_pools *pools, const struct huge_page_pool *pool) {
        struct huge_page_pool *grown =
                array_grow(pools->items, &pools->n_allocated, pools->n + 1, sizeof(*pools->items));

        if (!grown)
                return -ENOMEM;
        pools->items = grown;
        grown[pools->n++] = *pool;
        return 0;
}

/* What a walk over nodeN/hugepages needs to know. */
struct walk {
        const struct sysfs *sysfs;
        struct huge_page_pools *pools;
        int node;
};

static int read_pool(const char *name, void *userdata) {
        const struct walk *walk = userdata;
        struct huge_page_pool pool = { .node = walk->node };

        if (sscanf(name, "hugepages-%" SCNu64 "kB", &pool.page_size_kib) != 1 ||
            count_pages(walk->sysfs, &pool, &pool.n_pages) < 0 || pool.n_pages == 0)
                return 0;
        return append(walk->pools, &pool);
}

int huge_page_pools_read(const struct sysfs *sysfs, struct huge_page_pools *ret) {
        _cleanup_free_ int *nodes = NULL;
        size_t n_nodes = 0;
        int r = nodes_list(sysfs, &nodes, &n_nodes);

        *ret = (struct huge_page_pools){ 0 };
        for (size_t i = 0; r != -ENOMEM && i < n_nodes; i++) {
                struct walk walk = { sysfs, ret, nodes[i] };
                char path[PATH_SIZE];

                (void)snprintf(path, sizeof(path), SYSFS_NODE "/node%d/hugepages", nodes[i]);
                r = sysfs_list(sysfs, path, read_pool, &walk);
        }
        if (r != -ENOMEM)
                return 0;
        huge_page_pools_clear(ret);
        return -ENOMEM;
}

void huge_page_pools_clear(struct huge_page_pools *pools) {
        free(pools->items);
        *pools = (struct huge_page_pools){ 0 };
}

static bool is_block_of_node(const struct sysfs *sysfs, uint64_t block, int node) {
        char path[PATH_SIZE];
        int fd;

        (void)snprintf(path, sizeof(path), SYSFS_NODE "/node%d/memory%" PRIu64, node, block);
        fd = sysfs_open_directory(sysfs, path);
        if (fd < 0)
                return false;
        sysfs_close_fd(sysfs, fd);
        return true;
}

int huge_page_pools_record(struct huge_page_pools *pools, const struct sysfs *sysfs, uint64_t block, int journal_fd) {
        for (size_t i = 0; i < pools->n; i++) {
                struct huge_page_pool *pool = &pools->items[i];
                int r;

                if (pool->is_on_file || !is_block_of_node(sysfs, block, pool->node))
                        continue;
                r = journal_write_pool(journal_fd, pool->node, pool->page_size_kib, pool->n_pages);
                if (r < 0)
                        return r;
                pool->is_on_file = true;
        }
        return 0;
}

/* A pool that has fewer pages than before gets them again, as many as there is room for. */
static void restore(const struct sysfs *sysfs, const struct huge_page_pool *pool) {
        char path[PATH_SIZE], text[24];
        uint64_t n_left, n_now;
        int r;

        /* A node that went has no pool. One that somebody has made larger since is as they want it. */
        if (count_pages(sysfs, pool, &n_left) < 0 || n_left >= pool->n_pages)
                return;
        pool_path(pool, "nr_hugepages", path);
        (void)snprintf(text, sizeof(text), "%" PRIu64, pool->n_pages);
        r = sysfs_write_at(sysfs, sysfs->root_fd, path, text);
        if (r < 0)
                log_errno(LOG_WARNING, r, "node%d: cannot restore its huge pages of %" PRIu64 " kB", pool->node,
                          pool->page_size_kib);
        else if (count_pages(sysfs, pool, &n_now) == 0 && n_now < pool->n_pages)
                log_warning("node%d: there is room for only %" PRIu64 " of its %" PRIu64 " huge pages of %" PRIu64
                            " kB",
                            pool->node, n_now, pool->n_pages, pool->page_size_kib);
        else
                log_info("node%d: has its %" PRIu64 " huge pages of %" PRIu64 " kB again, of which %" PRIu64
                         " were dissolved",
                         pool->node, pool->n_pages, pool->page_size_kib, pool->n_pages - n_left);
}

static bool is_known(const struct huge_page_pools *pools, const struct huge_page_pool *pool) {
        for (size_t i = 0; i < pools->n; i++)
                if (pools->items[i].node == pool->node && pools->items[i].page_size_kib == pool->page_size_kib)
                        return true;
        return false;
}

/* The pools as they were when the job first touched their nodes; what was restored once is done with. */
static int parse(const char *journal, struct huge_page_pools *pools) {
        for (const char *line = journal; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                struct huge_page_pool pool = { 0 };
                int r = 0;

                if (journal_is_pools_restored(line))
                        pools->n = 0;
                else if (journal_parse_pool(line, &pool.node, &pool.page_size_kib, &pool.n_pages) &&
                         !is_known(pools, &pool))
                        r = append(pools, &pool);
                if (r < 0)
                        return r;
        }
        return 0;
}

int huge_page_pools_restore(const struct sysfs *sysfs, int journal_fd) {
        struct huge_page_pools pools = { 0 };
        _cleanup_free_ char *journal = NULL;
        int r = journal_read(journal_fd, &journal);

        if (r == 0)
                r = parse(journal, &pools);
        for (size_t i = 0; r == 0 && i < pools.n; i++)
                restore(sysfs, &pools.items[i]);
        if (r == 0 && pools.n > 0)
                r = journal_write_pools_restored(journal_fd);
        huge_page_pools_clear(&pools);
        return r;
}
