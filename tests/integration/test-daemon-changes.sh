#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Changes over the bus: what is done, what is refused and why, and that nothing is touched then.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# A part of a mapping is refused with both ways out, and nothing is written.
change offline memory44
expect "the error's name" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.SplitsMapping"
expect "the refusal" "$(tail -n +2 <<<"$out")" \
        "memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0
  whole mapping:      memctl offline memory40-47
  this part only:     memctl offline --partial memory44   (stays mapped; can be removed only with memory40-47 all offline)"
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

# A whole one goes; who hears the end and looks sees it.
change offline memory40-47
expect "the result" "$(result)" "done"
expect "the blocks" "$(blocks 40 55)" "--------MMMMMMMM"
expect "OnlineBytes" "$(get /org/memctl1/range/range0 Range OnlineBytes)" $((8 << 27))
expect_has "what became of the blocks" "$out" "0x140000000 $((8 << 27)) done 0"

# Once more is success, too.
change offline memory40-47
expect "the result" "$(result)" "done"

# And back, to the zone that was asked for.
change online memory40-47 zone=kernel
expect "the result" "$(result)" "done"
expect "the blocks" "$(blocks 40 55)" NNNNNNNNMMMMMMMM
change offline memory40-47
change online memory40-47
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

# All or nothing: the sixth write fails, five blocks go back.
control "fail 6 EBUSY"
change offline memory40-47
expect "the result" "$(result)" failed
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM
expect_has "the block that failed" "$out" "0x168000000 $((1 << 27)) failed 16"
expect_has "the ones before" "$out" "0x140000000 $((5 << 27)) rolled-back 0"

# Best effort keeps the unit that went.
control "fail 3 EBUSY"
change offline memory40-55 best-effort=true
expect "the result" "$(result)" partial
expect "the blocks" "$(blocks 40 55)" "MMMMMMMM--------"
change online memory48-55
expect "the result" "$(result)" "done"

# A write that hangs is ended, and what it did is undone.
control "hang 4"
change offline memory40-47 timeout-usec=3000000
expect "the result" "$(result)" timed-out
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM
# On a busy machine the time may be up before the fourth write.
control mend

# Jobs that overlap are refused, others wait for their turn.
control "hang 1"
begin offline memory40-47
await_hang 40
first_job=$job first_client=$pending
change offline memory40-55
expect "the error's name" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.Refused"
expect_has "the refusal" "$out" "job $first_job (offline) already works on memory40-47"
begin offline memory48-55
expect "the second job's state" "$(get "/org/memctl1/job/$job" Job State)" '"queued"'
release
finish
expect "the second job" "$(result)" "done"
pending=$first_client
finish
expect "the first job" "$(result)" "done"
expect "the blocks" "$(blocks 40 55)" ----------------
change online memory40-55

# The same request id gives the same job; a generation that has passed is refused.
change offline memory48-55 request-id=once
first=$(head -n 1 <<<"$out")
change offline memory48-55 request-id=once
expect "the job" "$(head -n 1 <<<"$out")" "$first"
generation=$(get /org/memctl1 Manager Generation)
change online memory48-55 "expect-generation=$generation"
expect "the result" "$(result)" "done"
change offline memory48-55 "expect-generation=$generation"
expect "the error's name" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.Refused"
expect_has "the refusal" "$out" "generation $generation was expected"

# Nobody but root may change anything while no polkit runs; reading and planning need nothing.
out=$(setpriv --reuid 65534 --clear-groups "$client" offline memory40-47 2>&1)
expect "the error's name" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.AccessDenied"
out=$(setpriv --reuid 65534 --clear-groups busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager Plan \
        'sasa{sv}' offline 1 memory40-47 0)
expect_has "the plan" "$out" '5368709120 1073741824 "offline"'
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

# A client that leaves takes its job with it, if it said so.
control "hang 2"
begin offline memory40-47 cancel-on-disconnect=true
await_hang 41
kill "$client_pid"
change --wait-job "$job"
expect "the result" "$(result)" cancelled
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

# While the machine cannot be read a change waits, and memctld tries again without haste.
n_failures() { grep -c "Cannot read the machine's memory blocks" /run/memctld.log || true; }
umount --lazy /sys
begin_usec=${EPOCHREALTIME//[^0-9]/}
exec {others}< <(exec "$client" offline memory48-51 2>&1)
until (($(n_failures) >= 1)); do read -rt 0.01 <> <(:) || true; done
# Nor does it hurry for whoever comes meanwhile.
exec {another}< <(exec "$client" offline memory52-55 2>&1)
exec {pending}< <(exec "$client" offline memory40-47 2>&1)
until (($(n_failures) >= 3)); do read -rt 0.01 <> <(:) || true; done
((${EPOCHREALTIME//[^0-9]/} - begin_usec > 1500000)) || fail "it was tried $(n_failures) times at once"
mount --bind "$MEMSIM/sys" /sys
cat <&"$others" <&"$another" >/dev/null
finish
expect "the result" "$(result) $(blocks 40 47)" "done --------"
change online memory40-47

# Stopped in the middle of a job it rolls back first.
control "hang 4"
begin offline memory40-47
await_hang 43
kill -TERM "$MEMCTLD_PID"
await_exit "$MEMCTLD_PID"
expect "the blocks" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

echo "$n_checks checks passed"
