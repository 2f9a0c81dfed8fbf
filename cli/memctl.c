/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memctl.h"

#include <locale.h>
#include <signal.h>
#include <stdint.h>

#include "exit-status.h"
#include "streams.h"
#include "verbs.h"

const struct command commands[] = {
        { "list", "[SELECTOR...]", "List memory: state, zone, node, origin, how it can be removed", COMMAND_LIST, 0,
          SIZE_MAX, verb_list },
        { "show", "SELECTOR...", "Tell all about memory: units, policy, why it can or cannot go", COMMAND_SHOW, 1,
          SIZE_MAX, verb_show },
        { "map", "[SELECTOR...]", "Draw memory: a glyph for each block, edges of what goes together", COMMAND_MAP, 0,
          SIZE_MAX, verb_map },
        { "plan", "online|offline|remove SELECTOR...", "Say what a change would do, and change nothing", COMMAND_PLAN,
          2, SIZE_MAX, verb_plan },
        { "online", "SELECTOR...", "Bring memory online", COMMAND_ONLINE, 1, SIZE_MAX, verb_online },
        { "offline", "SELECTOR...", "Take memory offline, in whole removal units", COMMAND_OFFLINE, 1, SIZE_MAX,
          verb_offline },
        { "remove", "SELECTOR...", "Take memory offline and let its driver remove it", COMMAND_REMOVE, 1, SIZE_MAX,
          verb_remove },
        { "jobs", NULL, "List the changes that run, and those of the last minute", COMMAND_JOBS, 0, 0, verb_jobs },
        { "cancel", "JOB...", "Cancel changes, what was changed goes back", COMMAND_CANCEL, 1, SIZE_MAX, verb_cancel },
        { "wait", "[JOB...]", "Wait until changes are over and every event is followed", COMMAND_WAIT, 0, SIZE_MAX,
          verb_wait },
        { "monitor", NULL, "Tell what changes, as it happens", COMMAND_MONITOR, 0, 0, verb_monitor },
        { "policy", "[list|show [NAME...]|check [FILE...]|reload]", "Show, check or reload the policy files",
          COMMAND_POLICY, 0, SIZE_MAX, verb_policy },
        { "inhibit", "[SELECTOR...] -- COMMAND...", "Run a command while nobody takes memory away", COMMAND_INHIBIT, 0,
          SIZE_MAX, verb_inhibit },
        { "doctor", NULL, "Look for what keeps memory from being removable, and say what to do", COMMAND_DOCTOR, 0, 0,
          verb_doctor },
        { "version", NULL, "Print versions of memctl and memctld, and what the kernel checks", COMMAND_VERSION, 0, 0,
          verb_version },
        { 0 },
};

int memctl_run(int argc, char **argv) {
        const struct command *command;
        struct options options;
        size_t n_words;
        char **words;
        int status;

        setlocale(LC_ALL, "");
        /* A closed pipe shows as EPIPE: a change that was asked for must not end because its output is not read. */
        signal(SIGPIPE, SIG_IGN);

        status = options_parse(argc, argv, &options, &command, &words, &n_words);
        if (status < 0)
                status = command->run(&options, words, n_words);

        return streams_finish(status);
}
