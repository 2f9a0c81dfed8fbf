#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service manager's watchdog hears that memctld is alive, also while a write to memory does not end.

# shellcheck disable=SC2034 # for daemon.sh: memctld is started here
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# await_watchdog N: as often
await_watchdog() {
        local n
        for ((n = 0; n < $1; n++)); do
                read -r line <&"$memctld"
                expect "what the service manager hears" "$line" watchdog
        done
}

mkdir -p /run/memctl
export WATCHDOG_USEC=500000
start_memctld
await_watchdog 2

control "hang 1 forever"
begin offline memory40-47
await_hang 40
await_watchdog 3
release
finish
expect "the job" "$(result)" "done"

echo "$n_checks checks passed"
