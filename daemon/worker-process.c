/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "worker-process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "blocks.h"
#include "cleanup.h"
#include "estimates.h"
#include "huge-pages.h"
#include "inventory-wire.h"
#include "inventory.h"
#include "journal.h"
#include "log.h"
#include "removal.h"
#include "worker.h"

struct process {
        const struct sysfs *sysfs;
        int memory_fd;        /* SYSFS_MEMORY */
        uint64_t journal_job; /* whose journal is open and locked; 0 none */
        int journal_fd;
        struct huge_page_pools pools; /* as that job found them, once it takes anything offline */
        bool knows_pools;
        struct inventory *inventory; /* kept, so that one event costs one block */
        struct estimates estimates;
};

/* Without this a write that waits in the kernel would outlive a daemon that was killed. */
static int die_with_parent(int socket_fd) {
        struct ucred parent;
        socklen_t length = sizeof(parent);

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &parent, &length) < 0)
                return -errno;
        /* It may have gone before the line above. */
        return getppid() == parent.pid ? 0 : -ESRCH;
}

static int read_machine(struct process *process, const struct worker_request *request) {
        struct inventory_options options = {
                .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY,
                .assume_granularity_bytes = request->assume_granularity_bytes,
                .previous = estimates_known(&process->estimates),
        };
        struct inventory *inventory;
        int r;

        if (request->reads_page_tables)
                options.flags |= INVENTORY_PAGE_TABLES;
        r = inventory_read(process->sysfs, &options, &inventory);
        if (r < 0)
                return r;
        inventory_free(process->inventory);
        process->inventory = inventory;
        r = estimates_remember(&process->estimates, inventory);
        if (r < 0)
                log_errno(LOG_WARNING, r,
                          "Cannot save the numbers of estimated ranges; they may change with a restart");
        return 0;
}

static int refresh(struct process *process, const struct worker_request *request) {
        int r;

        if (!process->inventory)
                return read_machine(process, request);
        r = inventory_refresh_machine(process->inventory, process->sysfs);
        if (r < 0)
                return r;
        for (uint64_t i = 0; i < request->n_ranges; i++) {
                r = inventory_refresh_range(process->inventory, process->sysfs, request->ranges[i]);
                if (r < 0)
                        return r;
        }
        for (uint64_t i = 0; i < request->n_spans; i++) {
                r = inventory_refresh_blocks(process->inventory, process->sysfs, request->spans[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int inspect(const struct process *process, uint64_t number, struct worker_found *ret) {
        struct block block = { .number = number };
        int r = block_read(&block, process->sysfs, process->memory_fd, true);

        if (r < 0)
                return r;
        *ret = (struct worker_found){ .state = block.state, .zone = block.zone };
        return 0;
}

/* Returns an error of the first block only: whoever comes to a later one asks again, and then it counts. */
static int inspect_run(const struct process *process, const struct worker_run *run, struct worker_run *ret) {
        ret->first_block = run->first_block;
        for (uint64_t i = 0; i < run->n_blocks; i++) {
                int r = inspect(process, run->first_block + i, &ret->found[i]);

                if (r < 0)
                        return i == 0 ? r : 0;
                ret->n_blocks++;
        }
        return 0;
}

/* A write of the job's former worker that has not ended yet holds the lock: nothing is looked at before. */
static int lock_journal(struct process *process, uint64_t job_id) {
        int fd;

        if (process->journal_job == job_id)
                return 0;
        fd = journal_open_locked(job_id);
        if (fd < 0)
                return log_errno(LOG_ERR, fd, "Cannot open the journal of job %" PRIu64, job_id);
        if (process->journal_fd >= 0)
                close(process->journal_fd);
        process->journal_fd = fd;
        process->journal_job = job_id;
        huge_page_pools_clear(&process->pools);
        process->knows_pools = false;
        return 0;
}

static int write_state(const struct process *process, uint64_t block, const char *word) {
        char path[48];
        int r;

        snprintf(path, sizeof(path), "memory%" PRIu64 "/state", block);
        /* A signal of ours ends the whole process, so an EINTR that is seen here was somebody else's. */
        do
                r = sysfs_write_at(process->sysfs, process->memory_fd, path, word);
        while (r == -EINTR);
        return r;
}

/* What is not on file is not restored; that is no reason to leave the block alone. */
static void record_pools(struct process *process, uint64_t block, const char *word) {
        int r = 0;

        if (strcmp(word, "offline") != 0)
                return;
        if (!process->knows_pools)
                r = huge_page_pools_read(process->sysfs, &process->pools);
        process->knows_pools = true;
        if (r == 0)
                r = huge_page_pools_record(&process->pools, process->sysfs, block, process->journal_fd);
        if (r < 0)
                log_errno(LOG_WARNING, r, "Cannot write to the journal how many huge pages there were");
}

/* The blocks before it in the run may have taken long: what goes to the journal must be so now. */
static int check_found(const struct process *process, uint64_t block, const struct worker_found *prior) {
        struct worker_found found;
        int r = inspect(process, block, &found);

        if (r < 0)
                return r;
        return found.state == prior->state && found.zone == prior->zone ? 0 : -ESTALE;
}

/* *ret_untouched: whether the block was not written to. */
static int write_journalled(struct process *process, uint64_t block, const struct worker_found *prior, const char *word,
                            bool *ret_untouched) {
        int r, written;

        *ret_untouched = true;
        r = check_found(process, block, prior);
        if (r < 0)
                return r;
        record_pools(process, block, word);
        r = journal_write_intent(process->journal_fd, block, (enum block_state)prior->state,
                                 (enum block_zone)prior->zone, word);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot write to the journal, so memory%" PRIu64 " is left alone", block);
        *ret_untouched = false;
        written = write_state(process, block, word);
        r = journal_write_result(process->journal_fd, block, -written);
        if (r < 0)
                log_errno(LOG_WARNING, r, "Cannot write the result for memory%" PRIu64 " to the journal", block);
        return written;
}

static int pull_trigger(const struct process *process, const struct worker_request *request) {
        int r, pulled;

        r = journal_write_trigger(process->journal_fd, request->block);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot write to the journal, so memory%" PRIu64 " is not removed",
                                 request->block);
        pulled = removal_trigger(process->sysfs, (enum range_driver)request->driver, request->word, request->block);
        r = journal_write_triggered(process->journal_fd, request->block, -pulled);
        if (r < 0)
                log_errno(LOG_WARNING, r, "Cannot write to the journal that memory%" PRIu64 " was told to go",
                          request->block);
        return pulled;
}

static int inventory_to_fd(const struct inventory *inventory) {
        _cleanup_close_ int fd = memfd_create("memctl-inventory", MFD_CLOEXEC);
        _cleanup_free_ void *bytes = NULL;
        size_t size_bytes, n_written = 0;
        int r;

        if (fd < 0)
                return -errno;
        r = inventory_encode(inventory, &bytes, &size_bytes);
        if (r < 0)
                return r;
        while (n_written < size_bytes) {
                ssize_t n = write(fd, (const char *)bytes + n_written, size_bytes - n_written);

                if (n < 0)
                        return -errno;
                n_written += (size_t)n;
        }
        return take_fd(&fd);
}

static int send_reply(int socket_fd, const struct worker_reply *reply, int payload_fd) {
        struct iovec vector = { (void *)reply, sizeof(*reply) };
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
        struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

        if (payload_fd >= 0) {
                struct cmsghdr *header;

                message.msg_control = control;
                message.msg_controllen = sizeof(control);
                header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(header), &payload_fd, sizeof(int));
        }
        return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The last block's result goes to *last; the others' are sent, and with nobody there to take them no more is written.
 */
static void write_run(struct process *process, int socket_fd, const struct worker_request *request,
                      struct worker_reply *last) {
        for (uint64_t i = 0; last->error == 0 && i < request->run.n_blocks; i++) {
                struct worker_reply reply = { .serial = request->serial, .has_more = 1 };
                bool is_untouched;

                last->error = write_journalled(process, request->run.first_block + i, &request->run.found[i],
                                               request->word, &is_untouched);
                last->is_untouched = is_untouched;
                if (last->error == 0 && i + 1 < request->run.n_blocks)
                        last->error = send_reply(socket_fd, &reply, -1);
        }
}

static int serve(struct process *process, int socket_fd, const struct worker_request *request) {
        struct worker_reply reply = { .serial = request->serial };
        _cleanup_close_ int payload_fd = -1;

        switch (request->command) {
        case WORKER_READ:
                reply.error = read_machine(process, request);
                break;
        case WORKER_REFRESH:
                reply.error = refresh(process, request);
                break;
        case WORKER_INSPECT:
                reply.error = lock_journal(process, request->journal);
                if (reply.error == 0)
                        reply.error = inspect_run(process, &request->run, &reply.run);
                break;
        case WORKER_WRITE:
                reply.error = lock_journal(process, request->journal);
                if (reply.error == 0)
                        write_run(process, socket_fd, request, &reply);
                else
                        reply.is_untouched = 1;
                /* Saves a job of many blocks a request for each run. */
                if (reply.error == 0)
                        (void)inspect_run(process, &request->next, &reply.run);
                break;
        case WORKER_TRIGGER:
                reply.error = lock_journal(process, request->journal);
                if (reply.error == 0)
                        reply.error = pull_trigger(process, request);
                break;
        case WORKER_RESTORE:
                reply.error = lock_journal(process, request->journal);
                if (reply.error == 0)
                        reply.error = huge_page_pools_restore(process->sysfs, process->journal_fd);
                break;
        default:
                reply.error = -EOPNOTSUPP;
        }
        if (reply.error == 0 && (request->command == WORKER_READ || request->command == WORKER_REFRESH)) {
                payload_fd = inventory_to_fd(process->inventory);
                if (payload_fd < 0)
                        reply.error = payload_fd;
        }
        return send_reply(socket_fd, &reply, payload_fd);
}

int worker_process_run(int socket_fd, const struct sysfs *sysfs) {
        struct process process = { .sysfs = sysfs, .journal_fd = -1 };
        int r = die_with_parent(socket_fd);

        process.memory_fd = sysfs_open_directory(sysfs, SYSFS_MEMORY);
        while (r >= 0) {
                struct worker_request request;
                ssize_t n = recv(socket_fd, &request, sizeof(request), 0);

                if (n < 0)
                        r = errno == EINTR ? 0 : -errno;
                else if (n == 0)
                        break;
                else if (n != sizeof(request) || request.command >= _WORKER_COMMAND_MAX ||
                         request.n_spans > WORKER_SPANS_MAX || request.run.n_blocks > WORKER_RUN_MAX ||
                         request.next.n_blocks > WORKER_RUN_MAX || request.n_ranges > WORKER_RANGES_MAX ||
                         !memchr(request.word, '\0', sizeof(request.word)))
                        r = -EBADMSG;
                else
                        r = serve(&process, socket_fd, &request);
        }
        sysfs_close_fd(sysfs, process.memory_fd);
        if (process.journal_fd >= 0)
                close(process.journal_fd);
        huge_page_pools_clear(&process.pools);
        inventory_free(process.inventory);
        estimates_clear(&process.estimates);
        return r < 0 ? r : 0;
}
