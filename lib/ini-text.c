/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ini-text.h"

void ini_text_complain(struct ini_text *text, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list args;

        va_start(args, format);
        int n = vasprintf(&message, format, args);
        va_end(args);
        if (n < 0)
                message = NULL;

        text->is_broken = true;
        if (!message || text->problem(text, message) < 0)
                text->no_memory = true;
}

/* A fgets() on the text that counts lines, because libinih does not tell which one it calls a handler for. */
static char *read_line(char *buffer, int size, void *userdata) {
        struct ini_text *text = userdata;
        const char *line = text->rest;
        size_t length = strcspn(line, "\n"), indent = 0;

        if (*line == '\0')
                return NULL;
        text->line++;
        text->rest += length + (line[length] == '\n');

        /* A line may start with spaces, which libinih would take for the rest of the value before. */
        while (indent < length && isspace((unsigned char)line[indent]))
                indent++;
        line += indent;
        length -= indent;
        if (length > 0 && *line == '[' && text->group)
                text->group(text, line, length);

        /* fgets() would hand out the rest as a line of its own, and libinih take it for one. */
        if (length + 2 > (size_t)size) {
                ini_text_complain(text, "a line may not be longer than %d bytes", size - 2);
                length = 0;
        }
        memcpy(buffer, line, length);
        memcpy(buffer + length, "\n", 2);
        return buffer;
}

/* Always 1: what is wrong has been told, with a better text than "error in line". */
static int on_key(void *userdata, const char *group, const char *key, const char *value) {
        struct ini_text *text = userdata;

        text->key(text, group, key, value);
        return 1;
}

int ini_text_read(struct ini_text *text) {
        int bad_line = ini_parse_stream(read_line, text, on_key, text);

        if (bad_line != 0 && !text->is_broken) {
                text->line = bad_line > 0 ? (unsigned)bad_line : 0;
                ini_text_complain(text, "this is neither a [Group] nor a Key=value");
        }
        if (text->no_memory)
                return -ENOMEM;
        return text->is_broken ? -EINVAL : 0;
}
