/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "log.h"
#include "worker-process.h"

struct worker {
        sd_event *event;
        struct worker_options options;
        char *executable, *sysroot, *description;

        pid_t pid; /* 0: no process */
        int socket_fd;
        sd_event_source *socket_source, *child_source, *kill_source, *fail_source;

        uint32_t serial;
        worker_reply_fn on_reply; /* NULL: nothing pending */
        void *reply_userdata;
        bool ending; /* SIGTERM was sent: what it still replies is taken when it is gone */
        bool killed; /* SIGKILL was sent */
};

static int fd_of_control_message(struct msghdr *message) {
        struct cmsghdr *control = CMSG_FIRSTHDR(message);
        int fd;

        if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
                return -1;
        memcpy(&fd, CMSG_DATA(control), sizeof(fd));
        return fd;
}

/* Takes one reply if there is one. Returns 1 if so, 0 if there is none now, -ECONNRESET at the end, -errno. */
static int receive_reply(struct worker *worker, struct worker_reply *ret, int *ret_payload_fd) {
        struct worker_reply reply;
        struct iovec vector = { &reply, sizeof(reply) };
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        _cleanup_close_ int payload_fd = -1;
        ssize_t n = recvmsg(worker->socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        payload_fd = fd_of_control_message(&message);
        if ((size_t)n != sizeof(reply) || !worker->on_reply || reply.serial != worker->serial ||
            reply.run.n_blocks > WORKER_RUN_MAX)
                return -EBADMSG;
        *ret = reply;
        *ret_payload_fd = take_fd(&payload_fd);
        return 1;
}

/* After the last one the callback may send the next request. */
static void hand_over(struct worker *worker, const struct worker_reply *reply, int payload_fd) {
        worker_reply_fn on_reply = worker->on_reply;

        if (!reply->has_more)
                worker->on_reply = NULL;
        on_reply(reply, payload_fd, worker->reply_userdata);
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct worker *worker = userdata;
        _cleanup_close_ int payload_fd = -1;
        struct worker_reply reply = { 0 };
        int r = receive_reply(worker, &reply, &payload_fd);

        (void)fd;
        (void)revents;
        if (r > 0)
                hand_over(worker, &reply, payload_fd);
        else if (r < 0) {
                /* Of a process that hung up the child source tells the rest; one that talks nonsense is ended. */
                (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
                if (r != -ECONNRESET)
                        (void)kill(worker->pid, SIGKILL);
        }
        return 0;
}

static void forget_process(struct worker *worker) {
        worker->child_source = sd_event_source_disable_unref(worker->child_source);
        worker->socket_source = sd_event_source_disable_unref(worker->socket_source);
        worker->kill_source = sd_event_source_disable_unref(worker->kill_source);
        if (worker->socket_fd >= 0)
                close(worker->socket_fd);
        worker->socket_fd = -1;
        worker->pid = 0;
        worker->ending = false;
        worker->killed = false;
}

static int start_process(struct worker *worker);

static int on_child_exit(sd_event_source *source, const siginfo_t *info, void *userdata) {
        struct worker *worker = userdata;
        struct worker_reply reply = { .has_more = 1 };
        _cleanup_close_ int payload_fd = -1;

        (void)source;
        /* It may have replied before it died: then that is the truth. */
        while (reply.has_more && receive_reply(worker, &reply, &payload_fd) > 0)
                if (reply.has_more)
                        hand_over(worker, &reply, -1);
        if (reply.has_more)
                reply = (struct worker_reply){
                        .serial = worker->serial,
                        .error = worker->ending ? -ECANCELED : -ECHILD,
                };
        if (!worker->ending)
                log_warning("The %s process ended by itself (%s %d); starting another", worker->description,
                            info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status);
        forget_process(worker);
        if (worker->on_reply) {
                (void)start_process(worker);
                hand_over(worker, &reply, payload_fd);
        }
        return 0;
}

/* In the child the daemon's blocked signals are open again and at their default action. */
static int spawn(struct worker *worker, int child_fd, pid_t *ret) {
        char *arguments[] = { (char *)"memctld", (char *)"--worker", NULL, NULL, NULL };
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none, all;
        int r;

        if (worker->sysroot) {
                arguments[2] = (char *)"--sysroot";
                arguments[3] = worker->sysroot;
        }
        sigemptyset(&none);
        sigfillset(&all);
        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attributes);
        if (r != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return -r;
        }
        r = posix_spawn_file_actions_adddup2(&actions, child_fd, WORKER_SOCKET_FD);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(&attributes, &all);
        if (r == 0)
                r = posix_spawn(ret, worker->executable, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int start_process(struct worker *worker) {
        _cleanup_close_ int child_fd = -1;
        int pair[2], r;

        /* No record is ever cut or merged. */
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return log_errno(LOG_ERR, -errno, "Cannot make a socket for the %s process", worker->description);
        worker->socket_fd = pair[0];
        child_fd = pair[1];
        r = spawn(worker, child_fd, &worker->pid);
        if (r < 0) {
                forget_process(worker);
                return log_errno(LOG_ERR, r, "Cannot start the %s process %s", worker->description, worker->executable);
        }
        r = sd_event_add_child(worker->event, &worker->child_source, worker->pid, WEXITED, on_child_exit, worker);
        if (r >= 0)
                r = sd_event_add_io(worker->event, &worker->socket_source, worker->socket_fd, EPOLLIN, on_socket,
                                    worker);
        if (r < 0) {
                (void)kill(worker->pid, SIGKILL);
                forget_process(worker);
                return log_errno(LOG_ERR, r, "Cannot watch the %s process", worker->description);
        }
        return 0;
}

int worker_new(sd_event *event, const struct worker_options *options, struct worker **ret) {
        struct worker *worker = calloc(1, sizeof(*worker));
        int r;

        if (!worker)
                return -ENOMEM;
        worker->event = sd_event_ref(event);
        worker->options = *options;
        worker->socket_fd = -1;
        worker->executable = strdup(options->executable);
        worker->description = strdup(options->description);
        worker->sysroot = options->sysroot ? strdup(options->sysroot) : NULL;
        r = !worker->executable || !worker->description || (options->sysroot && !worker->sysroot)
                    ? -ENOMEM
                    : start_process(worker);
        if (r < 0) {
                worker_free(worker);
                return r;
        }
        *ret = worker;
        return 0;
}

struct worker *worker_free(struct worker *worker) {
        if (!worker)
                return NULL;
        if (worker->pid > 0)
                (void)kill(worker->pid, SIGKILL);
        forget_process(worker);
        sd_event_source_disable_unref(worker->fail_source);
        sd_event_unref(worker->event);
        free(worker->executable);
        free(worker->description);
        free(worker->sysroot);
        free(worker);
        return NULL;
}

bool worker_is_busy(const struct worker *worker) {
        return worker->on_reply;
}

/* No process: the reply comes from the loop all the same, so that nobody has two ways to fail. */
static int on_fail_source(sd_event_source *source, void *userdata) {
        struct worker *worker = userdata;

        (void)source;
        worker->fail_source = sd_event_source_disable_unref(worker->fail_source);
        hand_over(worker, &(struct worker_reply){ .serial = worker->serial, .error = -ECHILD }, -1);
        return 0;
}

int worker_send(struct worker *worker, const struct worker_request *request, worker_reply_fn on_reply, void *userdata) {
        struct worker_request numbered = *request;
        int r;

        if (worker_is_busy(worker))
                return -EBUSY;
        if (worker->pid == 0 && start_process(worker) < 0) {
                r = sd_event_add_defer(worker->event, &worker->fail_source, on_fail_source, worker);
                if (r < 0)
                        return r;
        }
        numbered.serial = ++worker->serial;
        worker->on_reply = on_reply;
        worker->reply_userdata = userdata;
        /* One request at a time always fits, and a process that died tells so through its child source. */
        if (worker->pid > 0)
                (void)send(worker->socket_fd, &numbered, sizeof(numbered), MSG_DONTWAIT | MSG_NOSIGNAL);
        return 0;
}

static int on_kill_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct worker *worker = userdata;

        (void)source;
        (void)usec;
        if (!worker->killed) {
                worker->killed = true;
                (void)kill(worker->pid, SIGKILL);
                (void)sd_event_source_set_time_relative(worker->kill_source, worker->options.kill_timeout_usec);
                (void)sd_event_source_set_enabled(worker->kill_source, SD_EVENT_ONESHOT);
                return 0;
        }
        if (worker->options.on_stuck)
                worker->options.on_stuck(worker->options.userdata);
        return 0;
}

void worker_abort(struct worker *worker) {
        if (!worker_is_busy(worker) || worker->ending || worker->pid == 0)
                return;
        worker->ending = true;
        (void)sd_event_source_set_enabled(worker->socket_source, SD_EVENT_OFF);
        (void)kill(worker->pid, SIGTERM);
        if (sd_event_add_time_relative(worker->event, &worker->kill_source, CLOCK_MONOTONIC,
                                       worker->options.term_timeout_usec, 0, on_kill_timer, worker) < 0)
                (void)kill(worker->pid, SIGKILL);
}
