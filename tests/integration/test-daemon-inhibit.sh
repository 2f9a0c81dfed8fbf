#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Inhibitors: what they keep from being done, for how long, and who is told before something is done.

# shellcheck disable=SC2034 # for daemon.sh: memctld is started here
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# list_inhibitors: as busctl prints them
list_inhibitors() {
        busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager ListInhibitors
}

# await_inhibitors N: until there are so many
await_inhibitors() {
        until [[ $(list_inhibitors) == "a(sassssuu) $1"* ]]; do read -rt 0.01 <> <(:) || true; done
}

mkdir -p /run/memctl /etc/memctl
printf '[Manager]\nInhibitDelayMaxSec=1\n' >/etc/memctl/memctld.conf
exec {memctld}< <(exec "$MEMCTL_BUILD/tests/sim/service" --restart --socket "$MEMCTL_BUILD/daemon/memctld" \
        2>>/run/memctld.log)
read -r line <&"$memctld"
MEMCTLD_PID=${line#ready }

# --- block -----------------------------------------------------------------------------------------------------

inhibit offline block range0
expect "it is given" "$out" inhibits
expect "it is listed" "$(list_inhibitors)" \
        "a(sassssuu) 1 \"offline\" 1 \"range0\" \"block\" \"test\" \"a reason\" 0 $inhibitor"

change offline memory40-47
expect "the error's name" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.Refused"
expect "the refusal" "$(tail -n +2 <<<"$out")" \
        "memory40-47: test (uid 0, pid $inhibitor) inhibits offline: a reason
  who inhibits what:  memctl inhibit --list
  all the same:       memctl offline --ignore-inhibitors memory40-47"
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM
call Plan 'sasa{sv}' offline 1 memory40-47 0
expect_has "the plan says so" "$out" '"inhibited"'

# Other memory and other verbs are free; best effort leaves out what is inhibited.
change online memory40-47
expect "another verb" "$(result)" "done"
change offline memory40-47,4288-4295 best-effort=true
expect "best effort" "$(result)" partial
expect "the inhibited blocks" "$(blocks 40 47)" MMMMMMMM
expect "the others" "$(blocks 4288 4295)" --------
change online memory4288-4295

# An administrator may override it.
change offline memory40-47 ignore-inhibitors=true
expect "all the same" "$(result)" "done"
change online memory40-47

# Whoever holds it holds it over a restart of memctld.
kill -KILL "$MEMCTLD_PID"
read -r line <&"$memctld"
MEMCTLD_PID=${line#ready }
expect_has "after a restart" "$(list_inhibitors)" "1 \"offline\" 1 \"range0\" \"block\" \"test\" \"a reason\" 0 $inhibitor"
change offline memory40-47
expect_has "still refused" "$out" "inhibits offline"
change online memory40-47
end_inhibitor
await_inhibitors 0
change offline memory40-47
expect "released" "$(result)" "done"
change online memory40-47

# One that was released while memctld was not there is gone.
inhibit offline:online block memory40
kill -STOP "$MEMCTLD_PID"
end_inhibitor
kill -KILL "$MEMCTLD_PID"
read -r line <&"$memctld"
MEMCTLD_PID=${line#ready }
await_inhibitors 0

# --- what is no inhibitor --------------------------------------------------------------------------------------

inhibit sleep block range0
expect_has "no verb" "$out" "error org.memctl1.Error.InvalidOption"
inhibit offline hard range0
expect_has "no mode" "$out" "mode: hard is no mode"
inhibit offline block 4G
expect_has "an amount" "$out" "error org.memctl1.Error.InvalidSelector"
inhibit offline block range77
expect_has "no such range" "$out" "range77 is not there"
inhibit offline block blue
expect_has "no selector" "$out" "error org.memctl1.Error.InvalidSelector"
out=$(setpriv --reuid 65534 --clear-groups "$client" --inhibit offline block range0 2>&1)
expect "without polkit" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.AccessDenied"
await_inhibitors 0

control "hang 1"
begin offline memory40-47
await_hang 40
inhibit offline block range0
expect_has "a job already runs there" "$out" "job $job (offline) already works on memory40-47"
release
finish
expect "that job" "$(result)" "done"
change online memory40-47

# --- delay -----------------------------------------------------------------------------------------------------

exec {watcher}< <(exec "$client" --watch)
watcher_pid=$!
read -r line <&"$watcher"

sed -i s/=1/=600/ /etc/memctl/memctld.conf
call Reload ""
inhibit offline delay memory40-43
begin offline memory40-47
read -r line <&"$watcher"
expect "it is told" "$line" "begins $job 0x140000000 $((8 << 27))"
expect "it waits" "$(get "/org/memctl1/job/$job" Job State) $(blocks 40 47)" '"queued" MMMMMMMM'
end_inhibitor
finish
expect "it goes on" "$(result)" "done"
read -r line <&"$watcher"
expect "the end is told" "$line" "ended $job 0x140000000 $((8 << 27))"
change online memory40-47

# Nobody can delay it for ever, nor keep it from being cancelled.
sed -i s/=600/=1/ /etc/memctl/memctld.conf
call Reload ""
inhibit offline delay memory40-43
change offline memory40-47
expect "after InhibitDelayMaxSec" "$(result)" "done"
expect_has "it says for whom" "$(cat /run/memctld.log)" "waits no longer for test"
change online memory40-47
sed -i s/=1/=600/ /etc/memctl/memctld.conf
call Reload ""
begin offline memory40-47
until [[ $line == "begins $job "* ]]; do read -r line <&"$watcher"; done
busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel >/dev/null
finish
expect "cancelled before it began" "$(result) $(blocks 40 47)" "cancelled MMMMMMMM"
end_inhibitor
await_inhibitors 0
kill "$watcher_pid"

# --- limits ----------------------------------------------------------------------------------------------------

inhibit 64× offline block memory40
expect "the last of a user" "$out" inhibits
many=$inhibitor
inhibit offline block memory40
expect_has "one more" "$out" "error org.memctl1.Error.LimitsExceeded"
end_inhibitor "$many"
await_inhibitors 0

echo "$n_checks checks passed"
