/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "results.h"

#include <errno.h>
#include <string.h>

#include "util.h"

static const char *const outcome_words[_BLOCK_OUTCOME_MAX] = {
        [OUTCOME_NOT_TRIED] = "not-tried",     [OUTCOME_DONE] = "done",
        [OUTCOME_ALREADY] = "already",         [OUTCOME_FAILED] = "failed",
        [OUTCOME_ROLLED_BACK] = "rolled-back", [OUTCOME_OWED] = "owed",
};

const char *block_outcome_to_string(enum block_outcome outcome) {
        return word_of(outcome_words, _BLOCK_OUTCOME_MAX, (int)outcome);
}

int block_outcome_from_string(const char *word, enum block_outcome *ret) {
        int index = index_of_word(outcome_words, _BLOCK_OUTCOME_MAX, word);

        if (index < 0)
                return index;
        *ret = (enum block_outcome)index;
        return 0;
}

/* mm/memory_hotplug.c and drivers/base/memory.c give these. */
const char *block_error_meaning(int error) {
        switch (error) {
        case 0:
                return "";
        case EBUSY:
                return "it holds pages that cannot be moved, or the kernel could not isolate it";
        case EPERM:
                return "a driver or the architecture vetoed it";
        case EACCES:
        case EROFS:
                return "memctld is not allowed to write to it";
        case EINVAL:
                return "it has holes, spans several zones, or is already in that state";
        case EINTR:
        case ECANCELED:
                return "cancelled";
        case ETIMEDOUT:
                return "no progress within the time limit";
        case ENOMEM:
                return "the kernel had no memory for it";
        case ENOENT:
        case ENODEV:
                return "the block or its device is gone";
        case ESTALE:
                return "the machine changed while the job waited, and the request no longer fits it: ask again";
        case ECHILD:
                return "the process that wrote its state died";
        case EINPROGRESS:
                return "its device was told to let go of it and has not yet; it may still go, so it is left offline";
        case ENOTRECOVERABLE:
                return "its driver let go of it, but the kernel could not remove it: it stays until the next reboot";
        default:
                return "the kernel refused it";
        }
}

const struct result_run *result_list_find(const struct result_list *list, uint64_t block) {
        for (size_t i = 0; i < list->n; i++)
                if (block >= list->items[i].span.first_block && block < span_end(&list->items[i].span))
                        return &list->items[i];
        return NULL;
}

void result_list_clear(struct result_list *list) {
        free(list->items);
        *list = (struct result_list){ 0 };
}

/* Appends to a list with room enough, merged where it can be. */
static void append(struct result_list *list, struct result_run run) {
        struct result_run *last = list->n > 0 ? &list->items[list->n - 1] : NULL;

        if (run.span.n_blocks == 0)
                return;
        if (last && span_end(&last->span) == run.span.first_block && last->outcome == run.outcome &&
            last->error == run.error)
                last->span.n_blocks += run.span.n_blocks;
        else
                list->items[list->n++] = run;
}

static struct span part(uint64_t first, uint64_t end) {
        return (struct span){ first, end > first ? end - first : 0 };
}

int result_list_set(struct result_list *list, struct span span, enum block_outcome outcome, int error) {
        struct result_run added = { span, outcome, error };
        struct result_list next = { .n_allocated = list->n + 2 };
        bool is_added = false;

        next.items = calloc(next.n_allocated, sizeof(*next.items));
        if (!next.items)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++) {
                struct result_run before = list->items[i], behind = list->items[i];
                uint64_t end = span_end(&before.span);

                before.span = part(before.span.first_block, MIN(end, span.first_block));
                behind.span = part(MAX(behind.span.first_block, span_end(&span)), end);
                append(&next, before);
                if (!is_added && (behind.span.n_blocks > 0 || list->items[i].span.first_block >= span_end(&span))) {
                        append(&next, added);
                        is_added = true;
                }
                append(&next, behind);
        }
        if (!is_added)
                append(&next, added);
        free(list->items);
        *list = next;
        return 0;
}
