/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "range.h"
#include "util.h"

const char *range_name(const struct range *range, char buffer[static RANGE_NAME_MAX]) {
        snprintf(buffer, RANGE_NAME_MAX, "%s%" PRIu64, range->exported ? "range" : "est", range->number);
        return buffer;
}

void range_clear(struct range *range) {
        free(range->name);
        free(range->device);
        range->name = range->device = NULL;
}

void range_list_clear(struct range_list *list) {
        if (!list)
                return;

        for (size_t i = 0; i < list->n; i++)
                range_clear(&list->items[i]);
        free(list->items);
        *list = (struct range_list){ 0 };
}

int range_list_append(struct range_list *list, struct range *range) {
        struct range *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;

        list->items = items;
        items[list->n++] = *range;
        range->name = range->device = NULL;
        return 0;
}

static int compare_ranges(const void *a, const void *b) {
        const struct range *x = a, *y = b;

        if (x->span.first_block != y->span.first_block)
                return x->span.first_block < y->span.first_block ? -1 : 1;
        if (x->exported != y->exported)
                return x->exported ? -1 : 1;
        return (x->number > y->number) - (x->number < y->number);
}

void range_list_sort(struct range_list *list) {
        if (list->n > 1)
                qsort(list->items, list->n, sizeof(*list->items), compare_ranges);
}

static const char *const driver_words[_RANGE_DRIVER_MAX] = {
        [DRIVER_ACPI] = "acpi",       [DRIVER_DAX] = "dax",   [DRIVER_VIRTIO_MEM] = "virtio-mem",
        [DRIVER_PSERIES] = "pseries", [DRIVER_S390] = "s390", [DRIVER_OTHER] = "other",
};

const char *range_driver_to_string(enum range_driver driver) {
        return word_of(driver_words, _RANGE_DRIVER_MAX, (int)driver);
}
