#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing that runs on the simulated machine reaches the host's sysfs. A watch on the host's whole sysfs, through
# whatever mount, is set while commands on the machine write to every file they can find.
. "$(dirname "$0")/prelude.sh"

if [[ $EUID -ne 0 ]]; then
        echo "skip: needs root"
        exit 77
fi
MEMCTL_BUILD=$(readlink -f "${MEMCTL_BUILD:-$sim/../../build}")
watch=$MEMCTL_BUILD/tests/sim/write-watch
before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

# What the host's memory is like: every file's content.
snapshot() {
        find $memory/ -maxdepth 2 -name state -o -name auto_online_blocks 2>/dev/null | sort | xargs -r grep -H . || true
}

# The watch itself: it sees a write from another mount namespace, and names the file.
seen=$(mktemp -d)
touch "$seen/file"
expect 1 'the watch sees a write from another namespace' "$watch" "$seen" \
        unshare --mount --propagation private sh -c 'mount --bind "$0" /mnt && echo >/mnt/file' "$seen"
expect_line 'it names the file' "^written: .*/file\$"
expect 0 'and does not mind reading' "$watch" "$seen" cat "$seen/file"
rm -r "$seen"
# In sysfs too. Opening this file is harmless; nothing is written to it.
harmless=/sys/module/kernel/parameters
if [[ -w $harmless/panic ]]; then
        expect 1 'the watch sees who opens a file of sysfs for writing' "$watch" $harmless sh -c ': >>"$0"' $harmless/panic
        expect_line 'it names that file' "^written: $harmless/panic\$"
fi

# It begins only where no sysfs is mounted: this must never try on the host what it tries here.
attack='! grep -q " - sysfs " /proc/self/mountinfo || exit 3
        for file in $(find /sys/devices /sys/bus -type f); do
                case $file in */eject | */unbind | */uevent) continue ;; esac
                echo offline >"$file"
                echo 0 >"$file"
        done 2>/dev/null
        echo offline >/sys/devices/system/memory/memory40/state 2>/dev/null
        [ "$(cat /sys/devices/system/memory/memory40/state)" = offline ] || exit 4
        umount /sys && [ -z "$(ls /sys)" ] || exit 5
        for file in /proc/sys/vm/compaction_proactiveness /proc/sys/vm/nr_hugepages; do
                ! echo 0 2>/dev/null >"$file" || exit 6
        done'

snapshot >"$before"
expect 0 'commands on the machine write wherever they can' "$watch" /sys/devices "$sim/machine" -- sh -c "$attack"
expect_no_line 'no file of the host was open for writing' '^written: '
snapshot >"$after"
expect 0 'the host'\''s memory is as it was' cmp "$before" "$after"
expect 0 'and so are its mounts' test "$(stat --file-system --format=%t /sys)" = 62656572

expect 7 'the exit status is the command'\''s' "$sim/machine" --sysfs-only -- sh -c 'exit 7'
expect 143 'a signal too' "$sim/machine" --sysfs-only -- sh -c 'kill -TERM $$'
expect 0 'what a command leaves behind' "$sim/machine" --sysfs-only -- sh -c 'sleep 1000 & echo "$!"; readlink /proc/self/ns/pid'
expect 1 'ends with it' grep -qsF "${output##*$'\n'}" <(readlink /proc/[0-9]*/ns/pid)
expect 125 'a description that is not there' "$sim/machine" --description nowhere.json -- true
expect_line 'is named' 'nowhere.json'

exit $failed
