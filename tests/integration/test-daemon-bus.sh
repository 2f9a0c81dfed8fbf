#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The system bus is restarted: jobs go on, nobody counts as gone, and memctld is there again.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

restart_bus() {
        local pid
        pid=$(pidof dbus-daemon)
        kill -TERM "$pid"
        await_exit "$pid"
        exec {bus}< <(exec dbus-daemon --config-file=/run/dbus/machine.conf --nofork --nopidfile --print-address)
        read -r _ <&"$bus"
        until get /org/memctl1 Manager Version >/dev/null 2>&1; do read -rt 0.05 <> <(:) || true; done
}

inhibit online block 4288
control "hang 1"
begin offline memory40-47 cancel-on-disconnect=true
await_hang 40
restart_bus
finish
expect "the job goes on" "$(get "/org/memctl1/job/$job" Job State)" '"running"'
release
change --wait-job "$job"
expect "its result" "$(result)" "done"
expect "the blocks" "$(blocks 40 47)" --------
expect_has "the inhibitor" "$(busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager ListInhibitors)" '"4288"'
expect_has "memctld" "$(cat /run/memctld.log)" "On the bus again"

# Cancelled by nobody, it cannot be cancelled by who is not there any more either; others still can.
change online memory40-47
expect "what follows" "$(result)" "done"
restart_bus
expect "a range" "$(get /org/memctl1/range/range0 Range OnlineBytes)" $((16 << 27))

echo "$n_checks checks passed"
