/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Long texts of the kernel's that are parsed: iomem, a node's meminfo, and debugfs' page tables. The first byte is the
 * block size's exponent, and chooses architecture and page size.
 */

#include "fuzz.h"
#include "iomem.h"
#include "node-memory.h"
#include "page-tables.h"
#include "util.h"

static void check_page_tables(const char *text, uint8_t kind) {
        const struct machine machine = {
                .arch = (enum machine_arch)(kind % 3),
                .page_size_bytes = UINT64_C(4096) << (kind / 3 % 5),
        };
        uint64_t leaf_bytes;

        if (page_tables_parse(text, &machine, &leaf_bytes) == 0)
                must(is_power_of_two(leaf_bytes) && leaf_bytes >= machine.page_size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct iomem iomem;

        if (size == 0)
                return 0;
        char *text = fuzz_text(data + 1, size - 1);
        uint64_t block_size_bytes = UINT64_C(4096) << (*data % 40);

        must(iomem_parse(text, block_size_bytes, &iomem) == 0);
        for (size_t i = 0; i < iomem.n; i++) {
                const struct iomem_entry *entry = &iomem.items[i];
                must(entry->name && strncmp(entry->name, "System RAM", 10) == 0);
                must(entry->span.n_blocks > 0);
                must(span_end(&entry->span) - 1 <= UINT64_MAX / block_size_bytes);
                must(entry->driver != DRIVER_DAX || entry->kind == KIND_HOT_ADDED);
        }
        iomem_clear(&iomem);

        struct node_memory memory = node_memory_parse(text);
        must(memory.total_bytes % 1024 == 0 && memory.free_bytes % 1024 == 0);
        check_page_tables(text, *data);
        free(text);
        return 0;
}
