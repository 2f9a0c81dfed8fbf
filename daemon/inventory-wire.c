/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inventory-wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

struct encoder {
        unsigned char *bytes;
        size_t size, n_allocated;
        bool failed; /* sticky, so that fields need no check of their own */
};

struct decoder {
        const unsigned char *bytes;
        size_t n_left;
        bool failed;
};

static void put_bytes(struct encoder *encoder, const void *bytes, size_t size) {
        if (encoder->failed || size == 0)
                return;
        if (encoder->size + size > encoder->n_allocated) {
                size_t n_wanted = 2 * (encoder->size + size);
                unsigned char *grown = realloc(encoder->bytes, n_wanted);

                if (!grown) {
                        encoder->failed = true;
                        return;
                }
                encoder->bytes = grown;
                encoder->n_allocated = n_wanted;
        }
        memcpy(encoder->bytes + encoder->size, bytes, size);
        encoder->size += size;
}

static void put_u64(struct encoder *encoder, uint64_t value) {
        put_bytes(encoder, &value, sizeof(value));
}

/* NULL and "" differ: the length counts the NUL. */
static void put_string(struct encoder *encoder, const char *text) {
        put_u64(encoder, text ? strlen(text) + 1 : 0);
        if (text)
                put_bytes(encoder, text, strlen(text) + 1);
}

static const void *get_bytes(struct decoder *decoder, size_t size) {
        const unsigned char *bytes = decoder->bytes;

        if (decoder->failed || size > decoder->n_left) {
                decoder->failed = true;
                return NULL;
        }
        decoder->bytes += size;
        decoder->n_left -= size;
        return bytes;
}

static uint64_t get_u64(struct decoder *decoder) {
        const void *bytes = get_bytes(decoder, sizeof(uint64_t));
        uint64_t value = 0;

        if (bytes)
                memcpy(&value, bytes, sizeof(value));
        return value;
}

/* An enum's value: below `max`. */
static unsigned get_enum(struct decoder *decoder, unsigned max) {
        uint64_t value = get_u64(decoder);

        if (value >= max) {
                decoder->failed = true;
                return 0;
        }
        return (unsigned)value;
}

/* How many records of at least `record_size` bytes follow: never more than there are bytes for. */
static size_t get_count(struct decoder *decoder, size_t record_size) {
        uint64_t n = get_u64(decoder);

        if (n > decoder->n_left / record_size) {
                decoder->failed = true;
                return 0;
        }
        return (size_t)n;
}

static char *get_string(struct decoder *decoder) {
        uint64_t size = get_u64(decoder);
        const char *text;
        char *copy;

        if (size == 0)
                return NULL;
        text = get_bytes(decoder, size);
        if (!text || text[size - 1] != '\0') {
                decoder->failed = true;
                return NULL;
        }
        copy = strdup(text);
        if (!copy)
                decoder->failed = true;
        return copy;
}

/* One that fits `size`, its NUL included. */
static void get_text(struct decoder *decoder, char *ret, size_t size) {
        uint64_t n = get_u64(decoder);
        const char *text = n > 0 && n <= size ? get_bytes(decoder, n) : NULL;

        if (!text || text[n - 1] != '\0') {
                decoder->failed = true;
                return;
        }
        memcpy(ret, text, n);
}

static void put_extent(struct encoder *encoder, const struct extent *extent) {
        put_u64(encoder, extent->first_block);
        put_u64(encoder, extent->n_blocks);
        put_u64(encoder, (uint64_t)(int64_t)extent->node);
        put_u64(encoder, extent->range);
        put_u64(encoder, extent->state);
        put_u64(encoder, extent->zone);
        put_u64(encoder, extent->kind);
}
#define EXTENT_BYTES (7 * sizeof(uint64_t))

static int get_extent(struct decoder *decoder, struct extent_list *list) {
        struct extent extent;
        int r;

        extent.first_block = get_u64(decoder);
        extent.n_blocks = get_u64(decoder);
        extent.node = (int32_t)get_u64(decoder);
        extent.range = (uint32_t)get_u64(decoder);
        extent.state = get_enum(decoder, _BLOCK_STATE_MAX);
        extent.zone = get_enum(decoder, _BLOCK_ZONE_MAX);
        extent.kind = get_enum(decoder, _BLOCK_KIND_MAX);
        if (decoder->failed)
                return -EBADMSG;
        r = extent_list_append(list, &extent);
        return r == -EINVAL ? -EBADMSG : r;
}

static void put_range(struct encoder *encoder, const struct range *range) {
        put_u64(encoder, range->number);
        put_u64(encoder, range->exported);
        put_u64(encoder, range->span.first_block);
        put_u64(encoder, range->span.n_blocks);
        put_u64(encoder, (uint64_t)(int64_t)range->node);
        put_u64(encoder, range->driver);
        put_u64(encoder, range->kind);
        put_u64(encoder, range->mapping_granularity_bytes);
        put_u64(encoder, range->removal_granularity_bytes);
        put_u64(encoder, range->source);
        put_string(encoder, range->name);
        put_string(encoder, range->device);
}
#define RANGE_BYTES_MIN (12 * sizeof(uint64_t))

static int get_range(struct decoder *decoder, struct range *range) {
        range->number = get_u64(decoder);
        range->exported = get_u64(decoder) != 0;
        range->span.first_block = get_u64(decoder);
        range->span.n_blocks = get_u64(decoder);
        range->node = (int)get_u64(decoder);
        range->driver = get_enum(decoder, _RANGE_DRIVER_MAX);
        range->kind = get_enum(decoder, _BLOCK_KIND_MAX);
        range->mapping_granularity_bytes = get_u64(decoder);
        range->removal_granularity_bytes = get_u64(decoder);
        range->source = get_enum(decoder, _GRANULARITY_SOURCE_MAX);
        range->name = get_string(decoder);
        range->device = get_string(decoder);
        return decoder->failed || !range->name ? -EBADMSG : 0;
}

int inventory_encode(const struct inventory *inventory, void **ret, size_t *ret_size_bytes) {
        struct encoder encoder = { 0 };

        put_u64(&encoder, inventory->block_size_bytes);
        put_u64(&encoder, inventory->machine.arch);
        put_u64(&encoder, inventory->machine.page_size_bytes);
        put_u64(&encoder, inventory->machine.has_1g_pages);
        put_u64(&encoder, inventory->guard);
        put_u64(&encoder, inventory->source);
        put_string(&encoder, inventory->auto_online);
        put_u64(&encoder, inventory->next_estimate);
        put_u64(&encoder, inventory->has_zones);
        put_u64(&encoder, inventory->estimates_stale);
        put_u64(&encoder, inventory->extents.n);
        for (size_t i = 0; i < inventory->extents.n; i++)
                put_extent(&encoder, &inventory->extents.items[i]);
        put_u64(&encoder, inventory->n_ranges);
        for (size_t i = 0; i < inventory->n_ranges; i++)
                put_range(&encoder, &inventory->ranges[i]);
        put_u64(&encoder, inventory->n_nodes);
        for (size_t i = 0; i < inventory->n_nodes; i++) {
                put_u64(&encoder, (uint64_t)(int64_t)inventory->nodes[i].node);
                put_u64(&encoder, inventory->nodes[i].total_bytes);
                put_u64(&encoder, inventory->nodes[i].free_bytes);
                put_u64(&encoder, inventory->nodes[i].reclaimable_bytes);
                put_u64(&encoder, inventory->nodes[i].free_huge_pages);
        }
        if (encoder.failed) {
                free(encoder.bytes);
                return -ENOMEM;
        }
        *ret = encoder.bytes;
        *ret_size_bytes = encoder.size;
        return 0;
}

static int decode_header(struct decoder *decoder, struct inventory *inventory) {
        inventory->block_size_bytes = get_u64(decoder);
        inventory->machine.arch = get_enum(decoder, ARCH_OTHER + 1);
        inventory->machine.page_size_bytes = get_u64(decoder);
        inventory->machine.has_1g_pages = get_u64(decoder) != 0;
        inventory->guard = get_enum(decoder, _KERNEL_GUARD_MAX);
        inventory->source = get_enum(decoder, _GRANULARITY_SOURCE_MAX);
        get_text(decoder, inventory->auto_online, sizeof(inventory->auto_online));
        inventory->next_estimate = get_u64(decoder);
        inventory->has_zones = get_u64(decoder) != 0;
        inventory->estimates_stale = get_u64(decoder) != 0;
        return decoder->failed || inventory->block_size_bytes == 0 ? -EBADMSG : 0;
}

static int decode_ranges(struct decoder *decoder, struct inventory *inventory) {
        size_t n = get_count(decoder, RANGE_BYTES_MIN);

        inventory->ranges = calloc(n + 1, sizeof(*inventory->ranges));
        if (!inventory->ranges)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = get_range(decoder, &inventory->ranges[inventory->n_ranges++]);

                if (r < 0)
                        return r;
        }
        return decoder->failed ? -EBADMSG : 0;
}

static int decode_nodes(struct decoder *decoder, struct inventory *inventory) {
        size_t n = get_count(decoder, 5 * sizeof(uint64_t));

        inventory->nodes = calloc(n + 1, sizeof(*inventory->nodes));
        if (!inventory->nodes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                struct node_memory *node = &inventory->nodes[inventory->n_nodes++];

                node->node = (int)get_u64(decoder);
                node->total_bytes = get_u64(decoder);
                node->free_bytes = get_u64(decoder);
                node->reclaimable_bytes = get_u64(decoder);
                node->free_huge_pages = get_u64(decoder);
        }
        return decoder->failed ? -EBADMSG : 0;
}

/* Extents name ranges by index: one that is not there would be read out of bounds later. */
static bool ranges_of_extents_exist(const struct inventory *inventory) {
        for (size_t i = 0; i < inventory->extents.n; i++) {
                uint32_t range = inventory->extents.items[i].range;

                if (range != RANGE_NONE && range >= inventory->n_ranges)
                        return false;
        }
        return true;
}

static int decode(struct decoder *decoder, struct inventory *inventory) {
        size_t n_extents;
        int r;

        r = decode_header(decoder, inventory);
        if (r < 0)
                return r;
        n_extents = get_count(decoder, EXTENT_BYTES);
        for (size_t i = 0; i < n_extents; i++) {
                r = get_extent(decoder, &inventory->extents);
                if (r < 0)
                        return r;
        }
        r = decode_ranges(decoder, inventory);
        if (r < 0)
                return r;
        r = decode_nodes(decoder, inventory);
        if (r < 0)
                return r;
        return decoder->n_left == 0 && ranges_of_extents_exist(inventory) ? 0 : -EBADMSG;
}

int inventory_decode(const void *bytes, size_t size_bytes, struct inventory **ret) {
        struct decoder decoder = { .bytes = bytes, .n_left = size_bytes };
        struct inventory *inventory;
        int r;

        inventory = calloc(1, sizeof(*inventory));
        if (!inventory)
                return -ENOMEM;
        r = decode(&decoder, inventory);
        if (r < 0) {
                inventory_free(inventory);
                return r;
        }
        *ret = inventory;
        return 0;
}
