#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctld's command line, what keeps it from starting, what it makes of a broken configuration, and what it tells the
# journal.

# shellcheck disable=SC2034 # for daemon.sh
machine_options=
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

memctld=$MEMCTL_BUILD/daemon/memctld

# run ARGUMENT…: what memctld says is in $out, how it ends in $status
run() {
        status=0
        out=$("$memctld" "$@" 2>&1) || status=$?
}

run --help
expect "status of --help" "$status" 0
expect_has "help" "$out" "--bus-introspect"
run --version
expect "status of --version" "$status" 0
expect_has "version" "$out" "memctld "
run --nonsense
expect "status of an unknown option" "$status" 2
expect_has "an unknown option is named" "$out" "--nonsense"
run --bus-introspect /org/nonsense
expect "status of an unknown object" "$status" 2
expect_has "what objects there are" "$out" "there are /org/memctl1, /org/memctl1/range/NAME and /org/memctl1/job/N"

mkdir -p /run/memctl /run/empty
run --sysroot /run/nowhere
expect "status without a root" "$status" 1
expect_has "the root is named" "$out" "Cannot open /run/nowhere: No such file or directory"
run --sysroot /run/empty
expect "status on a machine without memory blocks" "$status" 1
expect_has "what is missing" "$out" "This kernel has no memory blocks in sysfs (CONFIG_MEMORY_HOTPLUG)"

# journal_of COMMAND…: it is started with its standard error in what it takes for the journal, which is /run/journal
mkdir -p /run/systemd/journal
exec {journal}< <(exec /usr/bin/python3 -c '
import socket
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
print("bound", flush=True)
with open("/run/journal", "ab", buffering=0) as file:
    while True:
        file.write(journal.recv(65536) + b"\n")')
read -r _ <&"$journal"
: >/run/memctld.log
exec {service}< <(JOURNAL_STREAM=$(stat -Lc %d:%i /run/memctld.log) exec "$MEMCTL_BUILD/tests/sim/service" "$memctld" 2>>/run/memctld.log)
read -r ready <&"$service"

# await_entry FIELD…: until an entry of the journal has them all
await_entry() {
        until /usr/bin/python3 - "$@" <<'END'; do read -rt 0.05 <> <(:) || true; done
import sys
entries = open("/run/journal").read().split("\n\n")
sys.exit(not any(all(field in entry.split("\n") for field in sys.argv[1:]) for entry in entries))
END
}

await_entry MESSAGE=Ready PRIORITY=6
change offline memory40-47
await_entry "MESSAGE=Job 1: offline memory40-47, asked for by uid 0, pid $(sed -n 's/.*offline memory40-47, asked for by uid 0, pid //p' /run/journal)" \
        PRIORITY=6 MEMCTL_JOB=1 MEMCTL_UID=0
change offline memory48-55

run
expect "status of a second memctld" "$status" 1
expect_has "it says that there is one" "$out" "Cannot own org.memctl1 on the bus: another memctld runs already"
expect "the first one serves" "$(get /org/memctl1/range/range0 Range OnlineBytes)" 0

printf '%s\n' '[Manager]' 'RollbackTimeoutSec=0' >/run/memctl/memctld.conf
call Reload
await_entry "MESSAGE=/run/memctl/memctld.conf:2: RollbackTimeoutSec=0: write whole seconds, at least 1; this file is not in force" PRIORITY=4
printf '%s\n' '[Manager]' >/run/memctl/memctld.conf
rm /run/memctl/memctld.conf
mkdir /run/memctl/memctld.conf
call Reload
await_entry "MESSAGE=/run/memctl/memctld.conf: Invalid argument; this file is not in force" PRIORITY=4
expect "nothing of it went to standard error" "$(cat /run/memctld.log)" ""
n_checks=$((n_checks + 4))

kill "${ready#ready }"
await_exit "${ready#ready }"
echo "$n_checks checks passed"
