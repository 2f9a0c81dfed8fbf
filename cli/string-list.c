/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "string-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

int strings_add(struct strings *strings, const char *text) {
        char **items = array_grow(strings->items, &strings->n_allocated, strings->n + 2, sizeof *items);

        if (!items)
                return -ENOMEM;

        strings->items = items;
        items[strings->n] = strdup(text);
        if (!items[strings->n])
                return -ENOMEM;

        items[++strings->n] = NULL;
        return 0;
}

void strings_free(char **strings) {
        for (char **string = strings; string && *string; string++)
                free(*string);
        free(strings);
}

char *strings_join(char **strings) {
        char *text = strdup("");

        for (char **string = strings; text && string && *string; string++) {
                char *longer = format_string("%s%s%s", text, *text ? " " : "", *string);

                free(text);
                text = longer;
        }

        return text;
}
