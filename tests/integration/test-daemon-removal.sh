#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Removal, driver by driver: offline first, as a transaction; then the trigger, from which there is no way back; and
# the end is what the kernel shows, not what the trigger returned.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

GiB=$((1 << 30))
movable() { printf "%$1s" '' | tr ' ' M; }
is_there() { [[ -e /sys/devices/system/memory/memory$1 ]] && echo there || echo gone; }
journal_has() { grep -q "\"$1\"" "/run/memctl/jobs/$job.journal" 2>/dev/null; }
# await COMMAND…: until it succeeds; what it says does not count
await() {
        until "$@" >/dev/null 2>&1; do read -rt 0.01 <> <(:) || true; done
}
has_result() { [[ $(get "/org/memctl1/job/$1" Job Result) == "\"$2\"" ]]; }
is_block() { [[ -e /sys/devices/system/memory/memory$1 ]]; }
kill_memctld() {
        kill "-$1" "$MEMCTLD_PID"
        await_exit "$MEMCTLD_PID"
}
plug() {
        control "plug PNP0C80:00"
        change online device:PNP0C80:00
        expect "plugged and online" "$(blocks 4288 4319)" "$(movable 32)"
}
nothing_online=$(printf '%32s' '' | tr ' ' -)

# --- an ACPI memory device -------------------------------------------------------------------------------------

# Blocks 4288-4319 of the machine: 4 GiB, online in zone Movable.
expect "the DIMM at first" "$(blocks 4288 4319)" "$(movable 32)"

change remove memory4288-4295
expect "a part of it is refused" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.Refused"
expect_has "the reason and the way out" "$out" "whole device:       memctl remove device:PNP0C80:00"
expect "nothing was done" "$(blocks 4288 4319)" "$(movable 32)"

call Plan 'sasa{sv}' remove 1 device:PNP0C80:00 0
expect_has "a plan has both parts" "$out" "$((0x86c0000000)) $GiB \"offline\" $((0x8600000000)) $((4 * GiB)) \"removed\""

# One of its blocks cannot go: nothing is ejected, and everything is as before.
control "fail 7 EBUSY"
change remove device:PNP0C80:00
expect "a block that stays ends it" "$(result)" failed
expect "and it is as before" "$(blocks 4288 4319)" "$(movable 32)"
expect_has "the block that failed" "$out" "$(printf '0x%x' $((0x8600000000 + (6 << 27)))) $((1 << 27)) failed 16"

# The eject itself is refused: the 33rd write.
control "fail 33 EAGAIN"
change remove device:PNP0C80:00
expect "an eject that is refused ends it" "$(result)" failed
expect "and it is as before" "$(blocks 4288 4319)" "$(movable 32)"
expect_has "all of it failed, and why" "$out" "0x8600000000 $((4 * GiB)) failed 11"

# Nothing was told yet: it can be cancelled.
control "hang 5"
begin remove device:PNP0C80:00
await_hang 4292
busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel
finish
expect "cancelled before the trigger" "$(result)" cancelled
expect "it is as before" "$(blocks 4288 4319)" "$(movable 32)"

# Told, and the kernel does not get round to it: this is reported, nothing is put back, and the late end is seen.
control hold-ejects
change remove device:PNP0C80:00 timeout-usec=2000000
late_job=$(sed -n 's/^job //p' <<<"$out")
expect "an eject that does not come" "$(result)" rollback-incomplete
expect "it is left offline" "$(blocks 4288 4319)" "$nothing_online"
expect_has "every block is named" "$out" "0x8600000000 $((4 * GiB)) owed 115"
control run-ejects
await has_result "$late_job" done
expect "gone in the end" "$(is_there 4288)$(is_there 4319)" gonegone

# Plugged again it is another range; with a hold and a cancel that comes too late.
control "plug PNP0C80:00" hold-ejects
change online device:PNP0C80:00
expect "back again" "$(result)" "done"
begin remove device:PNP0C80:00
await journal_has triggered
busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel
change online device:PNP0C80:00
expect_has "nobody puts it online meanwhile" "$out" "job $job (remove) already works on memory4288-4319"
expect "it is still waited for" "$(get "/org/memctl1/job/$job" Job State)" '"running"'
control run-ejects
finish
expect "a cancel that comes too late changes nothing" "$(result)" "done"
expect "gone" "$(is_there 4288)$(is_there 4319)" gonegone
expect_has "every block" "$out" "0x8600000000 $((4 * GiB)) done 0"

# Already offline: there is nothing to do but the eject.
control "plug PNP0C80:00"
await is_block 4319
change remove device:PNP0C80:00
expect "an offline device" "$(result)" "done"
expect "gone" "$(is_there 4288)$(is_there 4319)" gonegone
change remove device:PNP0C80:00
expect_has "what is gone is not there" "$out" "device:PNP0C80:00"

# --- dax ---------------------------------------------------------------------------------------------------------

expect "the dax device at first" "$(blocks 8192 8239)" "$(printf '%48s' '' | tr ' ' -)"
change online device:dax0.0
change remove device:dax0.0
expect "a dax device" "$(result)" "done"
expect "gone" "$(is_there 8192)$(is_there 8239)" gonegone
expect "its driver let go" "$(compgen -G '/sys/bus/dax/drivers/kmem/dax*' || echo none)" none

# The unbinding that is refused by the driver core: everything is as before.
echo dax0.0 >/sys/bus/dax/drivers/kmem/bind
change online device:dax0.0
control "fail 49 ENODEV"
change remove device:dax0.0
expect "an unbinding that is refused" "$(result)" failed
expect "it is as before" "$(blocks 8192 8239)" "$(movable 48)"

# The unbinding is cut off with the process: the device still has its driver, so nothing happened.
control "hang 49"
begin remove device:dax0.0
await journal_has trigger
kill_memctld KILL
finish
start_memctld
change --wait-job "$job"
expect "killed in an unbinding that did not happen" "$(result)" failed
expect "it is as before" "$(blocks 8192 8239)" "$(movable 48)"

# Two devices are one transaction until the first is told. The 82nd write is the second's trigger.
plug
control "fail 82 ENODEV"
change remove device:PNP0C80:00 device:dax0.0
expect "one of two devices" "$(result)" rollback-incomplete
expect "the first is gone" "$(is_there 4288)$(is_there 4319)" gonegone
expect "the second is as before" "$(blocks 8192 8239)" "$(movable 48)"
plug
control "fail 82 ENODEV"
change remove device:PNP0C80:00 device:dax0.0 best-effort=true
expect "with best effort it is a part" "$(result)" partial
expect "the first is gone" "$(is_there 4288)$(is_there 4319)" gonegone
expect "the second is as before" "$(blocks 8192 8239)" "$(movable 48)"
# A block of the first that cannot go leaves out its device and nothing else.
plug
control "fail 3 EBUSY"
change remove device:PNP0C80:00 device:dax0.0 best-effort=true
expect "with best effort it is a part" "$(result)" partial
expect "the first is as before" "$(blocks 4288 4319)" "$(movable 32)"
expect "the second is gone" "$(is_there 8192)$(is_there 8239)" gonegone
echo dax0.0 >/sys/bus/dax/drivers/kmem/bind
change online device:dax0.0
change remove device:PNP0C80:00

# Success is returned and the memory is still there: somebody onlined a block between.
control "hang 49"
begin remove device:dax0.0
await journal_has trigger
release "change 0x10000000000 128M online_movable"
finish
expect "an unbinding that does not remove" "$(result)" rollback-incomplete
expect_has "what stays, and why" "$out" "0x10000000000 $((6 * GiB)) owed 131"
expect "nothing is put back" "$(blocks 8192 8195)" "M---"

# --- killed, stopped, started again --------------------------------------------------------------------------------

# While it takes blocks offline: back with all of them, and nothing is told.
plug
control "hang 9"
begin remove device:PNP0C80:00
await_hang 4296
kill_memctld KILL
finish
start_memctld
change --wait-job "$job"
expect "killed before the trigger" "$(result)" failed
expect "as before" "$(blocks 4288 4319)" "$(movable 32)"

# While it waits for the kernel: the next one waits on, and never puts anything online.
control hold-ejects
begin remove device:PNP0C80:00
await journal_has triggered
kill_memctld KILL
finish
start_memctld
expect "nothing is put back" "$(blocks 4288 4319)" "$nothing_online"
control run-ejects
change --wait-job "$job"
expect "killed behind the trigger" "$(result)" "done"
expect "gone" "$(is_there 4288)$(is_there 4319)" gonegone

# Stopped while it waits: at once, as nothing is left to be done by this one.
plug
control hold-ejects
begin remove device:PNP0C80:00
await journal_has triggered
kill_memctld TERM
finish
expect "nothing is put back" "$(blocks 4288 4319)" "$nothing_online"
control run-ejects
start_memctld
change --wait-job "$job"
expect "stopped behind the trigger" "$(result)" "done"

# Not complete, and known to be so over a restart; what an administrator decides then settles it.
plug
control hold-ejects
change remove device:PNP0C80:00 timeout-usec=2000000
job=$(sed -n 's/^job //p' <<<"$out")
expect "not complete" "$(result)" rollback-incomplete
kill_memctld TERM
start_memctld
change --wait-job "$job"
expect "still not complete" "$(result)" rollback-incomplete
expect "still offline" "$(blocks 4288 4319)" "$nothing_online"
change online device:PNP0C80:00
expect "somebody wants it back" "$(result)" "done"
expect "and has it" "$(blocks 4288 4319)" "$(movable 32)"
control run-ejects
is_no_block() { ! is_block "$1"; }
await is_no_block 4288

# --- what has no way ---------------------------------------------------------------------------------------------

change remove range0
expect_has "a third party's range" "$out" "only the driver that added 'System RAM' can do that"
expect "it is as it was" "$(blocks 40 55)" "$(movable 16)"

echo "$n_checks checks passed"
