#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Removal where the platform itself takes memory back, block by block: pseries through /sys/kernel/dlpar, s390 through
# /sys/firmware/memory.

if [[ -z ${PLATFORM-} && ${1-} != --inside ]]; then
        set -e
        for platform in pseries s390; do PLATFORM=$platform bash "$0"; done
        exit
fi
export PLATFORM
# shellcheck disable=SC2034 # for daemon.sh
machine_options="--daemon --description $(dirname "$(readlink -f "$0")")/../sim/machines/$PLATFORM.json"
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

MiB=$((1 << 20))
there() {
        local block text=""
        for ((block = $1; block <= $2; block++)); do
                [[ -e /sys/devices/system/memory/memory$block ]] && text+=x || text+=.
        done
        printf '%s\n' "$text"
}

case $PLATFORM in
pseries) first=32 ;;
s390) first=16 ;;
esac
last=$((first + 3))
start=$(printf '0x%x' $((first << 28)))

expect "the range's driver" "$(get /org/memctl1/range/range0 Range Driver)" "\"$PLATFORM\""
expect "at first" "$(blocks $first $last)" MMMM

# One block's removal is refused: nothing is gone yet, so everything is as before. The second write removes.
control "fail 2 EBUSY"
change remove memory$first
expect "the first trigger fails" "$(result)" failed
expect "as before" "$(blocks $first $last)" MMMM
expect_has "why" "$out" "$start $((256 * MiB)) failed 16"

# Of one block.
change remove memory$first
expect "one block" "$(result)" "done"
expect "it is gone, the others are not" "$(there $first $last)" .xxx
expect "and are as they were" "$(blocks $((first + 1)) $last)" MMM

# Of the rest the second trigger fails (three writes to state, one that removes, one that does not): one is gone and
# stays gone, two go back, and this is no success.
control "fail 5 EBUSY"
change remove "memory$((first + 1))-$last"
expect "the second of three triggers fails" "$(result)" rollback-incomplete
expect "one is gone" "$(there $first $last)" ..xx
expect "the rest is as before" "$(blocks $((first + 2)) $last)" MM

# With best effort what went is a part.
control "fail 4 EBUSY"
change remove "memory$((first + 2))-$last" best-effort=true
expect "the same with best effort" "$(result)" partial
expect "one more is gone" "$(there $first $last)" ...x
expect "the last is as before" "$(blocks $last $last)" M

# memctld is killed while the kernel removes: the next one says what became of it.
control "hang 2"
begin remove "memory$last"
until grep -q '"trigger"' "/run/memctl/jobs/$job.journal" 2>/dev/null; do read -rt 0.01 <> <(:) || true; done
kill -KILL "$MEMCTLD_PID"
await_exit "$MEMCTLD_PID"
finish
start_memctld
change --wait-job "$job"
expect "killed in the trigger, which did not happen" "$(result)" failed
expect "as before" "$(blocks $last $last)" M
change remove "memory$last"
expect "the last one" "$(result)" "done"
expect "all are gone" "$(there $first $last)" ....

echo "$PLATFORM: $n_checks checks passed"
