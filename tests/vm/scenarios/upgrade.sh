#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
# installs: package
# timeout: 900
# suite: drivers
#
# memctld is upgraded while memory goes offline and online: every change was made whole or not at all, what was
# inhibited still is, and nothing is brought online twice. And a kernel that onlines memory by itself is let do it.

. "$(dirname "$0")/expect.sh"

are_online() { [[ $(states "$1" 2>/dev/null | sort -u) == online ]]; }
main_pid() { systemctl show --value --property=MainPID memctld.service; }

# upgrade: the same package again, as apt does it with a newer one
upgrade() {
        if [[ $(dpkg-query -W -f '${db:Status-Status}' systemd) == installed ]]; then
                apt-get -q -y --no-install-recommends install --reinstall /memctl.deb
        else
                dpkg-deb -x /memctl.deb / && systemctl daemon-reload && systemctl restart memctld.service
        fi
}
# change_on: until it is told to stop; each change's words and status, and what it left
change_on() {
        local verb status
        until [[ -e /run/stop ]]; do
                for verb in offline online; do
                        status=0
                        memctl $verb memory40-47 || status=$?
                        echo "$verb: status $status, left $(states 40-47 | sort | uniq -c | xargs)"
                done
        done
}
n_changes() { grep -c ': status ' /run/changes; }
has_changed() { (($(n_changes) >= $1)); }
is_inhibited() { memctl inhibit --list | grep -q 'upgrade test'; }

install_package
use_policy 50-lent-memory
expect 0 'a driver lends a GiB' driver add 0x140000000 0x40000000
expect 0 'and another' driver add 0x180000000 0x40000000
expect 0 'policy brings them online' await are_online 40-55
memctl inhibit --why='upgrade test' memory48-55 -- sleep infinity &
inhibit=$!
expect 0 'other memory is inhibited' await is_inhibited
change_on >/run/changes 2>&1 &
changes=$!
expect 0 'memory goes offline and online' await has_changed 2
before=$(main_pid)
expect 0 'memctld is upgraded meanwhile' upgrade
expect 0 'it is active' systemctl is-active memctld.service
expect 1 'and another process' test "$(main_pid)" = "$before"
n_done=$(n_changes)
expect 0 'the changes go on' await has_changed $((n_done + 4))
touch /run/stop
wait $changes
output=$(</run/changes)
expect_no_line 'each was made whole, or not at all' 'left .*(offline .*online|online .*offline|going)'
output=$(tail -n 1 /run/changes)
expect_output 'the last one succeeded' 'online: status 0, left 8 online'
expect 0 'the inhibitor is still held' is_inhibited
kill $inhibit
is_free() { ! is_inhibited; }
expect 0 'until who held it ends' await is_free
expect 0 'no job is left' memctl jobs
expect_no_line 'in any state' 'running|queued|stuck|rollback'

expect 0 'all of it goes offline' memctl offline memory40-55
expect 0 'memctld starts anew' systemctl restart memctld.service
expect 0 'a third GiB is lent' driver add 0x100000000 0x40000000
expect 0 'which goes online' await are_online 32-39
expect_states 'what somebody took offline is not brought back' 40-55 offline

for start in 0x140000000 0x180000000; do
        expect 0 'the driver takes a GiB back' driver remove $start 0x40000000
done
echo online_movable >/sys/devices/system/memory/auto_online_blocks
for start in 0x140000000 0x180000000; do
        expect 0 'it is lent to a kernel that onlines by itself' driver add $start 0x40000000
done
expect 0 'which does' await are_online 40-55
n_warnings() { journalctl -q -o cat -u memctld.service | grep -c 'the kernel onlines memory by itself'; }
has_warned() { (($(n_warnings) > 0)); }
expect 0 'memctld says that it lets it' await has_warned
# Of memory that no driver claims policy speaks a second after it came.
all_are_settled() {
        local range
        for range in /sys/bus/memory_range/devices/*; do
                grep -qx "${range##*/}" /run/memctl/ranges-onlined || return
        done
}
expect 0 'and has looked at both' await all_are_settled
expect 0 'it takes the later one offline when it is told to' memctl offline memory48-55
expect_states 'and leaves it there' 48-55 offline

# To any zone, and to those that the kernel's own policy chooses.
echo online >/sys/devices/system/memory/auto_online_blocks
expect 0 'a kernel that onlines to any zone is lent a GiB' driver add 0xc0000000 0x40000000
expect 0 'which it does' await are_online 24-31
expect 0 'the driver takes back what is offline' driver remove 0x180000000 0x40000000
echo auto-movable >/sys/module/memory_hotplug/parameters/online_policy
expect 0 'a kernel that chooses zones by itself is lent it again' driver add 0x180000000 0x40000000
expect 0 'which does' await are_online 48-55
expect 0 'memctld has looked at both' await all_are_settled
expect 0 'it takes the last offline when it is told to' memctl offline memory48-55
echo offline >/sys/devices/system/memory/auto_online_blocks
expect 0 'the driver takes another GiB back' bash -c 'memctl offline memory40-47 && echo remove 0x140000000 0x40000000 >/proc/hotplug-driver'
n_warned=$(n_warnings)
expect 0 'and lends it to a kernel that onlines nothing' driver add 0x140000000 0x40000000
expect 0 'so that memctld does' await are_online 40-47
expect_states 'what was taken offline is still' 48-55 offline
expect 0 'how often did it say that it lets the kernel' test "$n_warned" = 1

exit $failed
