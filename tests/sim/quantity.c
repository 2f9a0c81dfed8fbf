/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quantity.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int quantity_parse(const char *text, uint64_t *ret) {
        static const char suffixes[] = "KMGTP";
        unsigned long long value;
        const char *suffix;
        unsigned shift = 0;
        char *end;

        /* strtoull() takes signs and blanks. */
        if (!isdigit((unsigned char)text[0]))
                return -EINVAL;
        errno = 0;
        value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
        if (errno)
                return -errno;
        if (*end) {
                suffix = strchr(suffixes, *end);
                if (!suffix || end[1])
                        return -EINVAL;
                shift = 10 * (unsigned)(suffix - suffixes + 1);
        }
        if (value > UINT64_MAX >> shift)
                return -ERANGE;
        *ret = value << shift;
        return 0;
}

int quantity_parse_span(const char *text, uint64_t *start, uint64_t *size) {
        const char *plus = strchr(text, '+');
        uint64_t parsed_start = 0, parsed_size = 0;
        char first[64];
        int r;

        if (!plus || (size_t)(plus - text) >= sizeof(first))
                return -EINVAL;
        memcpy(first, text, (size_t)(plus - text));
        first[plus - text] = '\0';
        r = quantity_parse(first, &parsed_start);
        if (r == 0)
                r = quantity_parse(plus + 1, &parsed_size);
        if (r < 0)
                return r;
        if (parsed_size == 0)
                return -EINVAL;
        if (parsed_size - 1 > UINT64_MAX - parsed_start)
                return -ERANGE;
        *start = parsed_start;
        *size = parsed_size;
        return 0;
}
