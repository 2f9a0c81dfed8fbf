/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"
#include "util.h"

/* Below this many blocks a thread costs more than it saves; above this many threads they wait for each other. */
#define BLOCKS_PER_THREAD 2048
#define THREADS_MAX       8
#define BLOCKS_AT_A_TIME  64

#define PATH_SIZE 64

void block_table_clear(struct block_table *table) {
        if (!table)
                return;

        free(table->items);
        *table = (struct block_table){ 0 };
}

static int append_block(const char *name, void *userdata) {
        struct block_table *table = userdata;
        uint64_t number;

        if (block_number_from_name(name, &number) < 0)
                return 0;

        struct block *items = array_grow(table->items, &table->n_allocated, table->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        table->items = items;
        items[table->n++] = (struct block){ .number = number, .node = NODE_NONE, .acpi = ACPI_NONE };
        return 0;
}

static int compare_blocks(const void *a, const void *b) {
        const struct block *x = a, *y = b;

        return (x->number > y->number) - (x->number < y->number);
}

int block_table_list(struct block_table *table, const struct sysfs *sysfs) {
        int r = sysfs_list(sysfs, SYSFS_MEMORY, append_block, table);
        if (r < 0)
                return r;

        if (table->n > 1)
                qsort(table->items, table->n, sizeof(*table->items), compare_blocks);
        return 0;
}

/* Where there are no holes in front of it a block is as many places from the first as their numbers say. */
static struct block *find_block(const struct block_table *table, uint64_t number) {
        if (table->n == 0 || number < table->items[0].number)
                return NULL;

        uint64_t guess = number - table->items[0].number;
        if (guess < table->n && table->items[guess].number == number)
                return &table->items[guess];
        return bsearch(&(struct block){ .number = number }, table->items, table->n, sizeof(*table->items),
                       compare_blocks);
}

struct node_walk {
        struct block_table *table;
        int node;
};

static int set_node(const char *name, void *userdata) {
        const struct node_walk *walk = userdata;
        uint64_t number;

        if (block_number_from_name(name, &number) < 0)
                return 0;

        struct block *block = find_block(walk->table, number);
        if (block && block->node == NODE_NONE)
                block->node = walk->node;
        return 0;
}

static int read_nodes(struct block_table *table, const struct sysfs *sysfs, const int *nodes, size_t n_nodes) {
        char path[PATH_SIZE];

        for (size_t i = 0; i < n_nodes; i++) {
                struct node_walk walk = { table, nodes[i] };
                snprintf(path, sizeof(path), SYSFS_NODE "/node%d", nodes[i]);
                int r = sysfs_list(sysfs, path, set_node, &walk);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* A device that goes away between opening and reading says ENODEV. */
static bool means_gone(ssize_t error) {
        return error == -ENOENT || error == -ENODEV;
}

static enum block_zone read_zone(const struct sysfs *sysfs, int memory_fd, uint64_t number) {
        char path[PATH_SIZE], words[64];
        enum block_zone zone;

        /* An online block shows its one zone or "none" (several); anything else is a block that just went offline. */
        snprintf(path, sizeof(path), "memory%" PRIu64 "/valid_zones", number);
        if (sysfs_read_at(sysfs, memory_fd, path, words, sizeof(words)) <= 0 ||
            block_zone_from_string(words, &zone) < 0)
                return ZONE_NONE;
        return zone;
}

int block_read(struct block *block, const struct sysfs *sysfs, int memory_fd, bool zone) {
        char path[PATH_SIZE], word[32];
        enum block_state state;

        snprintf(path, sizeof(path), "memory%" PRIu64 "/state", block->number);
        ssize_t n = sysfs_read_at(sysfs, memory_fd, path, word, sizeof(word));
        if (n < 0)
                return means_gone(n) ? -ENOENT : (int)n;
        if (block_state_from_string(word, &state) < 0)
                return -EBADMSG;

        block->state = state;
        block->zone = zone && state == BLOCK_ONLINE ? read_zone(sysfs, memory_fd, block->number) : ZONE_NONE;
        return 0;
}

uint32_t block_read_acpi(const struct sysfs *sysfs, int memory_fd, uint64_t number) {
        static const char id[] = "PNP0C80:";
        char path[PATH_SIZE], name[64];
        uint64_t acpi;

        snprintf(path, sizeof(path), "memory%" PRIu64 "/firmware_node", number);
        if (sysfs_readlink_name_at(sysfs, memory_fd, path, name, sizeof(name)) < 0 ||
            strncmp(name, id, strlen(id)) != 0 ||
            parse_u64(name + strlen(id), strlen(name + strlen(id)), 16, &acpi) < 0 || acpi >= ACPI_NONE)
                return ACPI_NONE;
        return (uint32_t)acpi;
}

static int lowest_node(const char *name, void *userdata) {
        int *node = userdata;
        uint64_t number;

        if (parse_prefixed_number(name, "node", &number) == 0 && number <= INT32_MAX &&
            (*node == NODE_NONE || (int)number < *node))
                *node = (int)number;
        return 0;
}

int block_read_node(const struct sysfs *sysfs, uint64_t number) {
        char path[PATH_SIZE];
        int node = NODE_NONE;

        snprintf(path, sizeof(path), SYSFS_MEMORY "/memory%" PRIu64, number);
        return sysfs_list(sysfs, path, lowest_node, &node) < 0 ? NODE_NONE : node;
}

/*
 * What the threads share. Each takes the next few blocks until there are none left, so that one which the machine keeps
 * waiting keeps nobody else.
 */
struct crew {
        const struct sysfs *sysfs;
        const struct block_reading *reading;
        struct block_table *table;
        int memory_fd;
        atomic_size_t n_taken;
        atomic_int error; /* the first one */
};

static int read_one(const struct crew *crew, struct block *block) {
        int r = block_read(block, crew->sysfs, crew->memory_fd, crew->reading->zones);

        block->gone = r == -ENOENT;
        if (r == 0 && crew->reading->acpi && !span_list_contains(crew->reading->known, block->number))
                block->acpi = block_read_acpi(crew->sysfs, crew->memory_fd, block->number);
        return r == -ENOENT ? 0 : r;
}

static void read_share(struct crew *crew) {
        for (;;) {
                size_t at = atomic_fetch_add(&crew->n_taken, BLOCKS_AT_A_TIME);
                size_t end = MIN(at + BLOCKS_AT_A_TIME, crew->table->n);
                int no_error = 0;

                if (at >= crew->table->n || atomic_load(&crew->error) < 0)
                        return;
                for (; at < end; at++) {
                        int r = read_one(crew, &crew->table->items[at]);
                        if (r < 0) {
                                atomic_compare_exchange_strong(&crew->error, &no_error, r);
                                return;
                        }
                }
        }
}

/* With a table of open files of its own, a thread need not wait for the others at every open and close: unshare(2). */
static void *read_share_apart(void *userdata) {
        (void)unshare(CLONE_FILES);
        read_share(userdata);
        return NULL;
}

static unsigned choose_threads(size_t n_blocks, unsigned wanted) {
        cpu_set_t cpus;
        unsigned n = wanted;

        if (n == 0) {
                n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
                n = (unsigned)MIN((size_t)n, n_blocks / BLOCKS_PER_THREAD);
        }
        return MAX(1U, MIN(n, THREADS_MAX));
}

static void drop_gone(struct block_table *table) {
        size_t n = 0;

        for (size_t i = 0; i < table->n; i++)
                if (!table->items[i].gone)
                        table->items[n++] = table->items[i];
        table->n = n;
}

int block_table_read(struct block_table *table, const struct sysfs *sysfs, const struct block_reading *reading) {
        pthread_t threads[THREADS_MAX];
        unsigned n_threads = choose_threads(table->n, reading->n_threads), n_started = 0;

        int memory_fd = sysfs_open_directory(sysfs, SYSFS_MEMORY);
        if (memory_fd < 0)
                return memory_fd;

        struct crew crew = { .sysfs = sysfs, .reading = reading, .table = table, .memory_fd = memory_fd };
        while (n_started + 1 < n_threads && pthread_create(&threads[n_started], NULL, read_share_apart, &crew) == 0)
                n_started++;

        /* A block's node is no business of the others: they write all of it but that. */
        int r = read_nodes(table, sysfs, reading->nodes, reading->n_nodes);
        if (r < 0)
                atomic_store(&crew.error, r);
        read_share(&crew);
        while (n_started > 0)
                pthread_join(threads[--n_started], NULL);

        sysfs_close_fd(sysfs, memory_fd);
        r = atomic_load(&crew.error);
        if (r == 0)
                drop_gone(table);
        return r;
}
