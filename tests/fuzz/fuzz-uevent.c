/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's uevents: datagrams, each ended by 0xff, and what memctld notes of them, which is the blocks and ranges
 * that it has to look at again.
 */

#include <errno.h>

#include "extent.h"
#include "fuzz.h"
#include "uevent.h"

/* A string of the datagram, with its end. */
static bool lies_within(const char *string, const char *datagram, size_t size) {
        return string >= datagram && string < datagram + size &&
               memchr(string, '\0', size - (size_t)(string - datagram));
}

static void check_event(const struct uevent *event, const char *datagram, size_t size) {
        const char *end = event->properties + event->properties_size_bytes;

        must(end == datagram + size);
        must(lies_within(event->action, datagram, size) && lies_within(event->subsystem, datagram, size));
        must(lies_within(event->name, datagram, size) && !strchr(event->name, '/'));
        must(uevent_property(event, "ACTION") == event->action);
        for (const char *line = event->properties; line < end; line += strlen(line) + 1) {
                char key[64];
                size_t n = strcspn(line, "=");
                if (line[n] != '=' || n >= sizeof(key))
                        continue;
                memcpy(key, line, n);
                key[n] = '\0';
                const char *value = uevent_property(event, key);
                must(value && value <= line + n + 1);
        }
}

static void check_spans(const struct span_list *list) {
        for (size_t i = 0; i < list->n; i++) {
                must(list->items[i].n_blocks > 0);
                must(span_end(&list->items[i]) > list->items[i].first_block);
                must(i == 0 || span_end(&list->items[i - 1]) < list->items[i].first_block);
        }
}

/* A copy of its own, so that a read beyond its end is seen. */
static void take_datagram(const uint8_t *data, size_t size, struct span_list *blocks) {
        struct uevent event;
        uint64_t number;
        char *datagram = malloc(size > 0 ? size : 1);

        must(datagram);
        memcpy(datagram, data, size);
        int r = uevent_parse(datagram, size, &event);
        must(r == 0 || r == -EBADMSG);
        if (r == 0) {
                check_event(&event, datagram, size);
                if (block_number_from_name(event.name, &number) == 0) {
                        must(span_list_add(blocks, (struct span){ number, 1 }) == 0);
                        must(span_list_contains(blocks, number));
                        check_spans(blocks);
                }
        }
        free(datagram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct span_list blocks = { 0 };

        while (size > 0) {
                const uint8_t *end = memchr(data, 0xff, size);
                size_t n = end ? (size_t)(end - data) : size;

                take_datagram(data, n, &blocks);
                data += end ? n + 1 : n;
                size -= end ? n + 1 : n;
        }
        span_list_clear(&blocks);
        return 0;
}
