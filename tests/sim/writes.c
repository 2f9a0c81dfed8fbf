/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "writes.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

/* FUSE tells of the first signal only; a fatal one that comes later has to be looked for. */
#define SIGNAL_POLL_MSEC 50

struct write {
        fuse_req_t request;
        fuse_ino_t inode;
        struct tree_file file;
        char *text;
        size_t size;
        pid_t pid;
        enum fault_kind hang; /* of the holder */
        bool interrupted;
        struct write *next;
};

static struct write *write_free(struct write *write) {
        if (!write)
                return NULL;
        free(write->text);
        free(write);
        return NULL;
}

static bool takes_lock(const struct write *write) {
        return write->file.row->store == control_store ? control_takes_lock(write->text) : write->file.row->takes_lock;
}

static void answer(struct write *write, int result) {
        fuse_req_interrupt_func(write->request, NULL, NULL);
        if (result < 0)
                fuse_reply_err(write->request, -result);
        else
                fuse_reply_write(write->request, write->size);
        write_free(write);
}

static void note_interrupt(fuse_req_t request, void *userdata) {
        struct write *write = userdata;

        (void)request;
        write->interrupted = true;
}

struct going {
        enum block_state from, to;
};

static void change_going(struct block *block, void *userdata) {
        const struct going *going = userdata;

        if (block->state == going->from)
                block->state = going->to;
}

/* A block whose offline hangs reads "going-offline". */
static void mark_going_offline(struct writes *writes, const struct write *write, bool is_going) {
        struct going going = { BLOCK_ONLINE, BLOCK_GOING_OFFLINE };

        if (write->file.row->store == store_state ? strcmp(write->text, "offline") != 0
                                                  : write->file.row->store != store_online || write->text[0] != '0')
                return;
        if (!is_going)
                going = (struct going){ BLOCK_GOING_OFFLINE, BLOCK_ONLINE };
        blocks_change(&writes->simulation->machine.blocks, write->file.object, 1, change_going, &going);
}

static void hold(struct writes *writes, struct write *write, enum fault_kind hang) {
        write->hang = hang;
        writes->holder = write;
        writes->simulation->write_hangs = true;
        mark_going_offline(writes, write, true);
        fuse_req_interrupt_func(write->request, note_interrupt, write);
}

static void store(struct writes *writes, struct write *write) {
        int r = 0;

        if (write->file.row->store)
                r = write->file.row->store(writes->simulation, write->file.object, write->text);
        if (r == STORE_LOOPS)
                hold(writes, write, FAULT_HANG);
        else
                answer(write, r);
}

static void run(struct writes *writes, struct write *write) {
        struct fault fault;

        if (write->file.row->is_faulty && simulation_next_fault(writes->simulation, &fault)) {
                if (fault.kind == FAULT_ERRNO)
                        answer(write, -fault.error);
                else
                        hold(writes, write, fault.kind);
                return;
        }
        store(writes, write);
}

static void enqueue(struct writes *writes, struct write *write) {
        struct write **last = &writes->queue;

        while (*last)
                last = &(*last)->next;
        *last = write;
        fuse_req_interrupt_func(write->request, note_interrupt, write);
}

void writes_submit(struct writes *writes, fuse_req_t request, fuse_ino_t inode, const struct tree_file *file,
                   const char *text, size_t size) {
        struct write *write = calloc(1, sizeof(*write));

        if (!write)
                err(EXIT_FAILURE, "write");
        write->request = request;
        write->inode = inode;
        write->file = *file;
        write->size = size;
        write->pid = fuse_req_ctx(request)->pid;
        write->text = strndup(text, size);
        if (!write->text)
                err(EXIT_FAILURE, "write");
        /* sysfs_streq() does not mind one newline at the end. */
        size = strlen(write->text);
        if (size > 0 && write->text[size - 1] == '\n')
                write->text[size - 1] = '\0';
        if (writes->holder && takes_lock(write))
                enqueue(writes, write);
        else
                run(writes, write);
}

bool writes_use_inode(const struct writes *writes, fuse_ino_t inode) {
        if (writes->holder && writes->holder->inode == inode)
                return true;
        for (const struct write *write = writes->queue; write; write = write->next)
                if (write->inode == inode)
                        return true;
        return false;
}

/* True if a signal that ends the process waits for it. */
static bool has_fatal_signal(pid_t pid) {
        static const int harmless[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
        uint64_t pending = 0, blocked = 0, ignored = 0, caught = 0, mask;
        char path[64], line[256];
        FILE *status;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        status = fopen(path, "re");
        if (!status)
                return true;
        while (fgets(line, sizeof(line), status)) {
                if (sscanf(line, "SigPnd: %" SCNx64, &mask) == 1 || sscanf(line, "ShdPnd: %" SCNx64, &mask) == 1)
                        pending |= mask;
                else if (sscanf(line, "SigBlk: %" SCNx64, &mask) == 1)
                        blocked = mask;
                else if (sscanf(line, "SigIgn: %" SCNx64, &mask) == 1)
                        ignored = mask;
                else if (sscanf(line, "SigCgt: %" SCNx64, &mask) == 1)
                        caught = mask;
        }
        (void)fclose(status);
        pending &= ~(blocked | ignored | caught);
        for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
                pending &= ~(UINT64_C(1) << (harmless[i] - 1));
        return pending != 0;
}

static void settle_holder(struct writes *writes) {
        struct write *holder = writes->holder;

        if (holder && writes->simulation->release_asked) {
                writes->holder = NULL;
                mark_going_offline(writes, holder, false);
                store(writes, holder);
        } else if (holder && holder->interrupted && holder->hang == FAULT_HANG) {
                writes->holder = NULL;
                mark_going_offline(writes, holder, false);
                answer(holder, -EINTR);
        }
        writes->simulation->release_asked = false;
        writes->simulation->write_hangs = writes->holder;
}

static void settle_queue(struct writes *writes) {
        for (struct write **link = &writes->queue; *link;) {
                struct write *write = *link;

                if (!write->interrupted || !has_fatal_signal(write->pid)) {
                        link = &write->next;
                        continue;
                }
                *link = write->next;
                answer(write, -EINTR);
        }
        while (writes->queue && !writes->holder) {
                struct write *first = writes->queue;

                writes->queue = first->next;
                first->next = NULL;
                run(writes, first);
        }
}

void writes_settle(struct writes *writes) {
        settle_holder(writes);
        settle_queue(writes);
        if (!writes->holder)
                simulation_run_ejects(writes->simulation);
}

int writes_timeout_msec(const struct writes *writes) {
        for (const struct write *write = writes->queue; write; write = write->next)
                if (write->interrupted)
                        return SIGNAL_POLL_MSEC;
        return -1;
}

void writes_clear(struct writes *writes) {
        writes->holder = write_free(writes->holder);
        while (writes->queue) {
                struct write *first = writes->queue;

                writes->queue = first->next;
                write_free(first);
        }
}
