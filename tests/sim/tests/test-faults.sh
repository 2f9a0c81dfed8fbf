#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The faults that a test can ask for.
. "$(dirname "$0")/prelude.sh"
on_machine

control() {
        write "$*" "$MEMSIM/control"
}

# In a process of its own, for signals to reach; its pid is in $writer.
write_behind() {
        bash -c 'trap - TERM; exec printf "%s\n" "$0" >"$1"' "$1" "$2" &
        writer=$!
}

# ended STATUS NAME PID: a child of this shell ends so
ended() {
        local status=0
        wait "$3" 2>/dev/null || status=$?
        expect 0 "$2" test "$status" -eq "$1"
}

# The write has reached the machine when the block says so.
await_going_offline() {
        await grep -qx going-offline "$memory/memory$1/state"
}

expect 0 'the second write is to fail' control fail 2 EIO
expect 0 'the first does not' write offline $memory/memory40/state
expect 1 'the second does' write offline $memory/memory41/state
expect_line 'as asked' 'Input/output error'
expect 0 'the third does not' write offline $memory/memory41/state
expect 1 'an errno nobody knows' control fail 1 EBLUE
expect_line 'invalid' 'Invalid argument'
expect 0 'the log' cat "$MEMSIM/log"
expect_line 'names the command' 'control: fail 1 EBLUE: Invalid argument'

control fail 1 EIO
expect 0 'a fault is taken back' control mend
expect 0 'and does not strike' write online_movable $memory/memory41/state
expect 0 'offline again' write offline $memory/memory41/state

control hang 1
expect 1 'nothing to let go on yet' control release
expect_line 'which is told from having done so' 'Resource temporarily unavailable'
write_behind offline $memory/memory42/state
hanging=$writer
expect 0 'a write that hangs' await_going_offline 42
expect 0 'does not block others from reading' cat $memory/memory43/state
write_behind offline $memory/memory43/state
waiting=$writer
expect 0 'a second write' await grep -q request_wait_answer "/proc/$waiting/wchan"
expect_states 'waits' 43-43 online
control release
ended 0 'let go on, it ends well' "$hanging"
ended 0 'and the second too' "$waiting"
expect_states 'both are offline' 42-43 offline

control hang 1
write_behind offline $memory/memory44/state
expect 0 'another that hangs' await_going_offline 44
kill -TERM "$writer"
ended 143 'ends with a signal' "$writer"
expect_states 'and is undone' 44-44 online

control hang 1 forever
write_behind offline $memory/memory45/state
stuck=$writer
expect 0 'one that hangs for ever' await_going_offline 45
write_behind offline $memory/memory46/state
waiting=$writer
kill -KILL "$stuck"
kill -KILL "$waiting"
ended 137 'who waits for the lock can be killed' "$waiting"
expect 0 'who holds it cannot' kill -0 "$stuck"
expect_states 'it still goes on' 45-45 going-offline
control release
ended 137 'until it has ended' "$stuck"
expect_states 'as if nobody had asked it to stop' 45-45 offline

listen --seqnum
control lose 2
write online_movable $memory/memory40/state
write online_movable $memory/memory41/state
write online_movable $memory/memory42/state
heard
expect_line 'the first event is heard' 'memory40$'
expect_no_line 'the second is lost' 'memory41$'
expect_line 'the third is heard' 'memory42$'
mapfile -t seqnums < <(cut -d' ' -f1 <<<"$output")
expect 0 'and its number is missed' test $((seqnums[1] - seqnums[0])) -ge 2

listen
control change 0x140000000 128M offline
heard
expect_output 'a change behind the back' ''
expect_states 'is one' 40-40 offline

listen
write 'add 6e1e2a1e-4d0c-4f43-8e9c-b2a3f0a0c0de A=1' $memory/memory40/uevent
output=$(cat <&"$events")
expect_output 'udevadm trigger'\''s event ends the listening' ''
expect 1 'no uevent of nonsense' write blue $memory/memory40/uevent

exit $failed
