/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "page-tables.h"

#include <errno.h>
#include <string.h>

#include "util.h"

#define DEBUGFS "sys/kernel/debug"

/* Sizes of a level's leaves; 0: it has none that are known. */
struct level {
        uint64_t page_size_bytes;
        const char *name;
        uint64_t leaf_bytes;
        uint64_t contiguous_bytes; /* a set of leaves with the contiguous hint counts as one */
};

/* arch/arm64/include/asm/pgtable-hwdef.h: CONT_PMD_SIZE, CONT_PTE_SIZE */
static const struct level arm64_levels[] = {
        { 4096, "PUD", UINT64_C(1) << 30, 0 },
        { 4096, "PMD", UINT64_C(2) << 20, UINT64_C(32) << 20 },
        { 4096, "PTE", UINT64_C(4) << 10, UINT64_C(64) << 10 },
        { 16384, "PMD", UINT64_C(32) << 20, UINT64_C(1) << 30 },
        { 16384, "PTE", UINT64_C(16) << 10, UINT64_C(2) << 20 },
        { 65536, "PMD", UINT64_C(512) << 20, UINT64_C(16) << 30 },
        { 65536, "PTE", UINT64_C(64) << 10, UINT64_C(2) << 20 },
};

static const struct level x86_64_levels[] = {
        { 4096, "pud", UINT64_C(1) << 30, 0 },
        { 4096, "pmd", UINT64_C(2) << 20, 0 },
        { 4096, "pte", UINT64_C(4) << 10, 0 },
};

/* A line's words: RANGE SIZE LEVEL ATTRIBUTE… (arm64) or RANGE SIZE ATTRIBUTE… LEVEL (x86-64). */
struct words {
        const char *third, *last;
        size_t third_length, last_length;
        size_t n;
        bool is_contiguous; /* one of them is CON */
};

static struct words split(const char *line, size_t length) {
        struct words words = { 0 };
        const char *end = line + length;

        for (const char *at = line; at < end;) {
                size_t n = strcspn(at, " \t\n");
                n = MIN(n, (size_t)(end - at));
                if (n == 0) {
                        at++;
                        continue;
                }
                if (++words.n == 3) {
                        words.third = at;
                        words.third_length = n;
                }
                words.last = at;
                words.last_length = n;
                words.is_contiguous |= n == 3 && strncmp(at, "CON", 3) == 0;
                at += n;
        }
        return words;
}

static uint64_t leaf_of(const struct level *levels, size_t n_levels, uint64_t page_size_bytes, const char *name,
                        size_t length, bool is_contiguous) {
        for (size_t i = 0; i < n_levels; i++)
                if (levels[i].page_size_bytes == page_size_bytes && strlen(levels[i].name) == length &&
                    strncmp(levels[i].name, name, length) == 0)
                        return is_contiguous ? levels[i].contiguous_bytes : levels[i].leaf_bytes;
        return 0;
}

/* Returns 0 and the leaf of a line, 0 for a hole (which has no attributes); -EBADMSG. */
static int parse_line(const char *line, size_t length, const struct machine *machine, uint64_t *ret_bytes) {
        struct words words = split(line, length);

        *ret_bytes = 0;
        if (words.n <= 3)
                return 0;
        if (machine->arch == ARCH_ARM64)
                *ret_bytes = leaf_of(arm64_levels, ARRAY_SIZE(arm64_levels), machine->page_size_bytes, words.third,
                                     words.third_length, words.is_contiguous);
        else if (machine->arch == ARCH_X86_64)
                *ret_bytes = leaf_of(x86_64_levels, ARRAY_SIZE(x86_64_levels), machine->page_size_bytes, words.last,
                                     words.last_length, false);
        return *ret_bytes > 0 ? 0 : -EBADMSG;
}

static bool starts_linear_map(const char *line, size_t length) {
        return memmem(line, length, "Linear Mapping start", 20) || memmem(line, length, "Low Kernel Mapping", 18);
}

int page_tables_parse(const char *text, const struct machine *machine, uint64_t *ret_bytes) {
        uint64_t largest = 0;
        bool inside = false;

        for (const char *line = text; *line != '\0';) {
                size_t length = strcspn(line, "\n");

                if (strncmp(line, "---[", 4) == 0)
                        inside = starts_linear_map(line, length);
                else if (inside) {
                        uint64_t leaf;
                        int r = parse_line(line, length, machine, &leaf);
                        if (r < 0)
                                return r;
                        largest = MAX(largest, leaf);
                }
                line += length + (line[length] == '\n');
        }
        if (largest == 0)
                return -EBADMSG;
        *ret_bytes = largest;
        return 0;
}

int page_tables_largest_leaf(const struct sysfs *sysfs, const struct machine *machine, uint64_t *ret_bytes) {
        _cleanup_free_ char *text = NULL;

        ssize_t n = sysfs_read_all(sysfs, DEBUGFS "/kernel_page_tables", &text);
        if (n == -ENOENT)
                n = sysfs_read_all(sysfs, DEBUGFS "/page_tables/kernel", &text);
        return n < 0 ? (int)n : page_tables_parse(text, machine, ret_bytes);
}
