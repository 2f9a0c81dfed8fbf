/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The texts of /proc that are parsed: iomem and a node's meminfo. The first byte is the block size's exponent. */

#include "fuzz.h"
#include "iomem.h"
#include "node-memory.h"

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
        free(text);
        return 0;
}
