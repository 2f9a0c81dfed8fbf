# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of memctld share; sourced. The test runs on a simulated machine (tests/sim/machine), on which nothing
# of the host can be changed; machine_options may be set before.

set -euo pipefail
[[ -z ${TRACE-} ]] || set -x

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C.UTF-8
unset JOURNAL_STREAM

if [[ ${1-} != --inside ]]; then
        # shellcheck disable=SC2086 # none or one
        exec "$here/../sim/machine" ${machine_options---daemon} -- bash "$0" --inside
fi

client=$MEMCTL_BUILD/tests/integration/job-client
out=""
n_checks=0

fail() {
        printf 'FAILED: %s\n--- said\n%s\n--- memctld\n' "$*" "$out" >&2
        cat /run/memctld.log >&2
        exit 1
}

# expect WHAT GOT WANTED
expect() {
        n_checks=$((n_checks + 1))
        [[ $2 == "$3" ]] || fail "$1: got \"$2\", wanted \"$3\""
}

expect_has() {
        n_checks=$((n_checks + 1))
        [[ $2 == *"$3"* ]] || fail "$1: got \"$2\", which was to have \"$3\""
}

# blocks FIRST LAST: a letter a block: - offline, else the zone's first letter. What the kernel says, not memctld.
blocks() {
        local block state zone text=""

        for ((block = $1; block <= $2; block++)); do
                state=$(<"/sys/devices/system/memory/memory$block/state")
                zone=$(<"/sys/devices/system/memory/memory$block/valid_zones")
                case $state in
                online) text+=${zone:0:1} ;;
                offline) text+=- ;;
                *) text+='?' ;;
                esac
        done
        printf '%s\n' "$text"
}

# await_blocks FIRST LAST WANTED: until the kernel shows them so.
await_blocks() {
        until [[ $(blocks "$1" "$2") == "$3" ]]; do read -rt 0.01 <> <(:) || true; done
}

# await_hang BLOCK: until the write that takes it offline hangs. Nothing tells, so it is asked for.
await_hang() {
        until [[ $(<"/sys/devices/system/memory/memory$1/state") == going-offline ]]; do
                read -rt 0.01 <> <(:) || true
        done
}

control() {
        printf '%s\n' "$@" >"$MEMSIM/control" || fail "control: $*: $(tail -n 1 "$MEMSIM/log")"
}

# release [COMMAND…]: the write that hangs, or soon will, goes on, after the commands, which may be given more than once.
release() {
        until printf '%s\n' "$@" release >"$MEMSIM/control"; do read -rt 0.01 <> <(:) || true; done 2>/dev/null
}

# change VERB SELECTOR… [KEY=VALUE…]: keeps what the client said in $out.
change() {
        out=$("$client" "$@" 2>&1)
}

# begin VERB SELECTOR…: the same without waiting for the end; $job is its number, $client_pid the client.
begin() {
        exec {pending}< <(exec "$client" "$@" 2>&1)
        # shellcheck disable=SC2034 # for the tests
        client_pid=$!
        read -r job <&"$pending"
        job=${job#job }
}

# Waits for the end of what was begun last.
finish() {
        out=$(cat <&"$pending")
        exec {pending}<&-
}

result() {
        sed -n 's/^result //p' <<<"$out"
}

# get PATH INTERFACE PROPERTY
get() {
        busctl --system get-property org.memctl1 "$1" "org.memctl1.$2" "$3" | cut -d ' ' -f 2-
}

# call METHOD SIGNATURE ARGUMENT…: of the Manager
call() {
        out=$(busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager "$@" 2>&1)
}

# Starts memctld as its service manager would, and waits until it is ready.
start_memctld() {
        exec {memctld}< <(exec "$MEMCTL_BUILD/tests/sim/service" "$MEMCTL_BUILD/daemon/memctld" 2>>/run/memctld.log)
        read -r line <&"$memctld" || fail "memctld did not start"
        # shellcheck disable=SC2034 # for the tests
        MEMCTLD_PID=${line#ready }
}

# inhibit WHAT MODE SELECTOR…: until end_inhibitor; $out is what was said if it was not given.
inhibit() {
        exec {inhibitor_pipe}< <(exec "$client" --inhibit "$@" 2>&1)
        inhibitor=$!
        read -r out <&"$inhibitor_pipe"
        [[ $out == inhibits ]] || out+=$'\n'$(cat <&"$inhibitor_pipe")
}

# end_inhibitor [PID]
end_inhibitor() {
        kill "${1:-$inhibitor}"
}

# Waits for the end of a process that is no child of ours.
await_exit() {
        tail --pid="$1" -f /dev/null
}
