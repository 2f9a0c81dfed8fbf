#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel that exports no ranges: policy brings online what is new, also when it comes to the same place again, and
# not what is left of a range; and devices are removed all the same.

# shellcheck disable=SC2034 # for daemon.sh: no memctld yet
machine_options=""
if [[ ${1-} != --inside ]]; then
        description=$(mktemp --suffix=.json)
        trap 'rm -f "$description"' EXIT
        sed '1s/{/{ "guard": false,/' "$(dirname "$(readlink -f "$0")")/../sim/machines/default.json" >"$description"
        "$(dirname "$(readlink -f "$0")")/../sim/machine" --description "$description" -- bash "$0" --inside
        exit
fi
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

is_there() { [[ -e /sys/devices/system/memory/memory$1 ]] && echo there || echo gone; }
# await_settled FIRST_BLOCK N_BLOCKS: until policy has had its say about that estimate
await_settled() {
        until grep -q "^est[0-9]* $1 $2\$" /run/memctl/ranges-onlined 2>/dev/null; do read -rt 0.01 <> <(:) || true; done
        "$MEMCTL_BUILD/cli/memctl" wait || fail "waiting for policy's jobs"
}
# await_forgotten FIRST_BLOCK
await_forgotten() {
        while grep -q "^est[0-9]* $1 " /run/memctl/ranges-onlined; do read -rt 0.01 <> <(:) || true; done
}
movable() { printf "%$1s" '' | tr ' ' M; }

mkdir -p /run/memctl /etc/memctl/policy.d
printf '[Match]\nDriver=other\nMinimumSize=1G\n[Online]\nMode=auto\nZone=movable\n' >/etc/memctl/policy.d/50-lent.policy
printf '[Match]\nDriver=acpi\n[Online]\nMode=auto\nZone=movable\n' >/etc/memctl/policy.d/50-acpi.policy
start_memctld

# Lent, taken offline by somebody, a half of it taken back: the other half stays as it was left.
control "hot-add 0x200000000 2G 0"
await_blocks 64 79 "$(movable 16)"
await_settled 64 16
change offline memory64-79
expect "the result" "$(result)" "done"
control "remove 0x200000000 1G"
await_settled 72 8
expect "what is left of it" "$(blocks 72 79)" --------
# Also for the next memctld.
kill -TERM "$MEMCTLD_PID"
await_exit "$MEMCTLD_PID"
start_memctld
await_settled 72 8
expect "what is left of it, after a restart" "$(blocks 72 79)" --------

# All of it taken back and lent again: that is new.
control "remove 0x240000000 1G"
await_forgotten 72
control "hot-add 0x200000000 2G 0"
await_blocks 64 79 "$(movable 16)"

# Removal is proven by the blocks alone.
await_settled 4288 32
change remove device:PNP0C80:00
expect "a DIMM" "$(result)" "done"
expect "gone" "$(is_there 4288)$(is_there 4319)" gonegone
await_forgotten 4288
control "plug PNP0C80:00"
await_blocks 4288 4319 "$(movable 32)"
change online device:dax0.0
change remove device:dax0.0
expect "a dax device" "$(result)" "done"
expect "gone" "$(is_there 8192)$(is_there 8239)" gonegone
control hold-ejects
change remove device:PNP0C80:00 timeout-usec=2000000
expect "an eject that does not come" "$(result)" rollback-incomplete
control run-ejects

echo "$n_checks checks passed"
