#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl inhibit: what it keeps from being done while a command runs, how it ends, and who it says it is.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

# A command that runs until it is told to end, and what it is started with.
mkfifo "$scratch/end"
hold() {
        : >"$scratch/held"
        "$MEMCTL" inhibit "$@" -- bash -c "echo running; read -r status <'$scratch/end'; exit \$status" >"$scratch/held" 2>&1 &
        inhibitor=$!
        await "$scratch/held" running
}
let_go() {
        status=0
        echo "$1" >"$scratch/end"
        wait "$inhibitor" || status=$?
        command='inhibit' out=$(<"$scratch/held") err=''
}

memctl inhibit --list
expect_status 0
expect_err 'memctl: nobody inhibits anything'

hold range0 --who=backup --why='memory is read'
memctl inhibit --list -nr -o WHAT,SELECTORS,MODE,WHO,WHY,UID,PID
expect_status 0
expect_out "offline:remove range0 block backup memory\\x20is\\x20read 0 $inhibitor"
memctl inhibit --list --json
expect_schema inhibitors
expect_json '[(i["who"], i["uid"]) for i in d["inhibitors"]]' "[('backup', 0)]"

# Refused, with who holds it and why; planned and shown as refused; other memory and other verbs are free.
memctl offline 40-47
expect_status 4
expect_err_has 'backup (uid 0'
expect_err_has 'memory is read'
expect_err_has 'memctl offline --ignore-inhibitors memory40-47'
memctl plan offline 40-47
expect_status 4
memctl show 40-47
expect_out_has 'inhibited'
memctl offline 4288-4295
expect_status 0
memctl online 40-47 4288-4295
expect_status 0
memctl offline --ignore-inhibitors 40-47
expect_status 0
memctl online 40-47
expect_status 0

# It exits as the command does, and nothing is held then.
let_go 3
expect_status 3
memctl offline 40-47
expect_status 0
memctl online 40-47

# Without a selector everything is meant; the command's name is who holds it.
hold
memctl inhibit --list -nr -o SELECTORS,WHO
expect_out 'all bash'
memctl offline 4288-4295
expect_status 4

# memctl is killed: so is the command, and nothing is held.
kill -TERM "$inhibitor"
wait "$inhibitor" || true
until memctl offline 4288-4295 && [ "$status" -eq 0 ]; do :; done
memctl online 4288-4295
expect_status 0

# What only hinders onlining hinders no offlining.
hold --what=online range0
memctl offline 40-47
expect_status 0
memctl online 40-47
expect_status 4
let_go 0
expect_status 0
memctl online 40-47
expect_status 0

# A delay is waited for: the change begins when the command has ended.
hold --mode=delay range0
"$MEMCTL" offline 40-47 >"$scratch/offline" 2>&1 &
change=$!
until "$MEMCTL" jobs -nr -o STATE | grep -q .; do :; done
let_go 0
expect_status 0
wait "$change" || fail 'the change was to go on'
[ "$(cat /sys/devices/system/memory/memory4[0-7]/state | sort -u)" = offline ] || fail 'it was to be offline'
memctl online 40-47

# The terminal's Ctrl-C is the command's, which looks for it again: a read that is about to begin does not see it.
TERM=xterm run /usr/bin/python3 "$here/in-terminal" --when ready '\x03' -- \
        "$MEMCTL" inhibit range0 -- bash -c 'trap "echo caught; exit 5" INT; echo ready; while :; do read -rt 1 _; done'
expect_status 5
expect_out_has caught

# Commands that cannot be run, requests that make no sense.
memctl inhibit range0 -- no-such-command
expect_status 127
expect_err_has 'cannot run no-such-command: No such file or directory'
memctl inhibit range0 -- /
expect_status 126
memctl inhibit range0 sleep 1
expect_status 2
expect_err_has 'inhibit needs a command behind "--"'
memctl inhibit --what=everything range0 -- true
expect_status 2
expect_err_has 'everything'
memctl inhibit 1G -- true
expect_status 2
memctl inhibit range9 -- true
[ "$status" -eq 4 ] || [ "$status" -eq 0 ] || fail 'a range that is not there is refused, or can come'
memctl inhibit --list range0
expect_status 2
memctl inhibit -r range0 -- true
expect_status 2
memctl inhibit -H elsewhere range0 -- true
expect_status 2
expect_err_has '--host does not go with inhibit'
run setpriv --reuid=65534 --clear-groups "$MEMCTL" inhibit range0 -- true
expect_status 5
