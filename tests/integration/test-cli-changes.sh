#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl with memctld on a simulated machine: changes, their results and their exit statuses.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

# The kernel's own word on a run of blocks.
state_of() {
        local block states=
        for ((block = $1; block <= $2; block++)); do
                states+=" $(<"/sys/devices/system/memory/memory$block/state")"
        done
        tr ' ' '\n' <<<"$states" | sed '/^$/d' | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}

expect_state() {
        local now
        now=$(state_of "$1" "$2")
        [ "$now" = "$3" ] || fail "memory$1-$2 was to be $3, it is $now"
}

control() {
        printf '%s\n' "$1" >"$MEMSIM/control"
}

# await_hang BLOCK: until the write that takes it offline hangs. Nothing tells, so it is asked for.
await_hang() {
        until grep -qx going-offline "/sys/devices/system/memory/memory$1/state"; do read -rt 0.01 <> <(:) || true; done
}

# What memctld tells is what sysfs tells, down to the word.
memctl list -J
expect_status 0
expect_no_err
expect_schema list
expect_json 'd["told_by"]' memctld
json '[{k: v for k, v in e.items() if k != "policy"} for e in d["extents"]]' >"$scratch/memctld"
memctl list -J --sysroot /
expect_json 'd["told_by"]' sysfs
json '[{k: v for k, v in e.items() if k != "policy"} for e in d["extents"]]' | diff -u "$scratch/memctld" - ||
        fail 'memctld and sysfs tell different things'
for listing in --units --ranges; do
        memctl list "$listing" -r
        "$MEMCTL" list "$listing" -r --sysroot / | diff -u - "$scratch/out" || fail 'memctld and sysfs differ'
done

# A split is refused by memctld with the same words as by a plan, and nothing is touched.
memctl offline memory44
expect_status 3
expect_out ''
expect_err 'memctl: refused: memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0
  whole mapping:      memctl offline memory40-47
  this part only:     memctl offline --partial memory44   (stays mapped; can be removed only with memory40-47 all offline)'
refusal=$err
memctl offline --dry-run memory44
expect_status 3
expect_err "$refusal"
memctl offline memory44 --json
expect_status 3
expect_schema result
expect_json 'd["result"], d["exit_status"], d["job"], [r["reason"] for r in d["refusals"]]' \
        "('refused', 3, None, ['splits-mapping'])"
expect_state 40 55 '16 online'

# Both ways out.
memctl offline --partial memory44
expect_status 0
expect_out 'memory44 (128 MiB): offline'
expect_state 40 47 '4 online, 1 offline, 3 online'
memctl list --units -nr -o STATE 40
expect_out partly
memctl offline memory40-47
expect_status 0
expect_state 40 47 '8 offline'
memctl offline memory40-47
expect_status 0
expect_out 'offline: nothing to do'

# Online again, by address, with a zone, as data.
memctl online --zone=movable 0x140000000+1G --json
expect_status 0
expect_schema result
expect_json 'd["verb"], d["result"], d["bytes_done"]' "('online', 'done', 1073741824)"
expect_json '[(r["blocks"], r["result"], r["errno"]) for r in d["results"]]' "[('memory40-47', 'done', 0)]"
expect_state 40 47 '8 online'
memctl list -nr -o ZONE 40-47
expect_out Movable

# By amount: which it were, and the total.
memctl offline 1G range0
expect_status 0
expect_out 'memory48-55 (1 GiB): offline
offline: 1 GiB'
expect_state 40 55 '8 online, 8 offline'
memctl offline =1G range0
expect_status 0
expect_out 'offline: nothing to do'
memctl online range0
expect_status 0

# What cannot go: everything is as it was, and the block, the errno and what it means are told.
control 'unmovable 0x170000000 128M'
memctl offline 40-47
expect_status 1
expect_err_has 'memctl: offline failed, everything is as it was'
expect_err_has 'memory46 (128 MiB): failed, EBUSY: it holds pages that cannot be moved'
expect_out ''
expect_state 40 55 '16 online'
memctl offline 40-47 -J
expect_status 1
expect_schema result
expect_json 'd["result"], [r["blocks"] for r in d["results"] if r["result"] == "failed"]' "('failed', ['memory46'])"

# --best-effort keeps what could go.
memctl offline --best-effort 40-55
expect_status 64
expect_out_has 'memory48-55 (1 GiB): offline'
expect_state 40 55 '8 online, 8 offline'
control 'movable 0x170000000 128M'
memctl online 48-55
expect_status 0

# Other refusals, bad requests.
memctl offline memory99999
expect_status 4
expect_err_has 'memctl: refused: memory99999'
memctl offline blue
expect_status 2
expect_err_has "memctl: 'blue' is no selector"
memctl offline --partial 1G
expect_status 2
memctl remove range0
expect_status 4

# Not authorised: without polkit only root may.
run setpriv --reuid=65534 --clear-groups "$MEMCTL" offline 40-47
expect_status 5
expect_err_has 'memctl: not authorised'
expect_state 40 47 '8 online'
run setpriv --reuid=65534 --clear-groups "$MEMCTL" plan offline 40-47
expect_status 0

# A write that does not end: the time limit ends it, and what had changed goes back.
control 'hang 3'
memctl offline --timeout=1s 40-47
expect_status 124
expect_err_has 'memctl: offline timed out, everything is as it was'
expect_state 40 47 '8 online'
# On a busy machine the time may be up before the third write.
control mend

# The rollback fails, too: exit 7, and every block owed is named. memctld tries again on the next event.
control 'fail 3 EBUSY'
control 'fail 4 EIO'
memctl offline 40-47
expect_status 7
expect_out ''
expect_err_has 'memctl: offline '
[[ $(grep -c 'owed, EIO' <<<"$err") -eq 1 ]] || fail 'the block owed was to be named'
control 'fail 3 EBUSY'
control 'fail 4 EIO'
memctl offline --json 48-55
expect_status 7
expect_schema result
expect_json 'd["result"], d["exit_status"]' "('rollback-incomplete', 7)"
memctl online 40-55
expect_status 0
expect_state 40 55 '16 online'

# A write that does not even end by SIGKILL is not waited for: 7, too. The job goes on, and takes back what it can.
mkdir -p /etc/memctl/policy.d
printf '[Offline]\nTimeoutSec=1\n' >/etc/memctl/policy.d/10-impatient.policy
"$MEMCTL" policy reload
control 'hang 3 forever'
memctl offline 40-47
expect_status 7
[[ $err =~ job\ ([0-9]+)\ is\ stuck ]] || fail 'a stuck job was expected'
stuck=${BASH_REMATCH[1]}
expect_err_has "memctl wait $stuck"
memctl jobs -nr -o JOB,STATE
expect_out_has "$stuck stuck"
control release
memctl wait "$stuck"
expect_status 124
expect_state 40 47 '8 online'
rm /etc/memctl/policy.d/10-impatient.policy
"$MEMCTL" policy reload

# --no-wait prints the job; wait waits for it and exits as it ended.
control 'hang 1'
memctl offline --no-wait --json 48-55
expect_status 0
expect_schema result
expect_json 'd["verb"], d["result"], d["exit_status"]' "('offline', None, 0)"
job=$(json 'd["job"]')
memctl cancel "$job"
expect_status 0
memctl wait "$job"
expect_status 130
control mend
memctl cancel "$job"
expect_status 0
expect_err "memctl: job $job is over: cancelled"
control 'hang 1'
memctl offline --no-wait 40-47
expect_status 0
[[ $out =~ ^job\ [0-9]+$ ]] || fail 'a job was expected'
job=${out#job }
memctl jobs -nr -o JOB,VERB,SELECTORS,RESULT
expect_out_has "
$job offline 40-47 "
memctl jobs -J
expect_schema jobs
memctl wait --timeout=1s "$job"
expect_status 124
expect_err_has 'memctl: 1 job is not over yet'
memctl offline 48-55 40
expect_status 4
memctl cancel "$job"
expect_status 0
memctl wait "$job"
expect_status 130
expect_err_has 'memctl: offline cancelled, everything is as it was'
expect_state 40 47 '8 online'
memctl wait
expect_status 0
# What was plugged in is known then, however much it was and whatever memctld is at.
for _ in 1 2 3; do
        kill -STOP "$MEMCTLD_PID"
        control 'hot-add 0x20000000000 256G'
        "$MEMCTL" wait &
        waiting=$!
        kill -CONT "$MEMCTLD_PID"
        wait "$waiting" || fail 'nothing was to be waited for but events'
        memctl list -nr -o SIZE 0x20000000000+256G
        expect_out 256G
        control 'remove 0x20000000000 256G'
        memctl wait
        expect_status 0
        memctl list 0x20000000000+256G
        expect_status 4
done
memctl wait 424242
expect_status 4
expect_err_has 'there is no job 424242'
memctl cancel one
expect_status 2

# A client that is killed takes its change back; one that is asked to end waits for that.
"$MEMCTL" monitor --json >"$scratch/events" &
monitor=$!
await "$scratch/events" '"watching"'
control 'hang 4'
"$MEMCTL" offline 40-47 >"$scratch/out" 2>"$scratch/err" &
change=$!
await "$scratch/events" '"memory40.*"state":"offline"'
await_hang 43
kill -TERM "$change"
status=0
wait "$change" || status=$?
out=$(<"$scratch/out") err=$(<"$scratch/err") command='offline 40-47, then SIGTERM'
expect_status 130
expect_err_has 'memctl: offline cancelled, everything is as it was'
expect_state 40 47 '8 online'

"$MEMCTL" monitor --json >"$scratch/later" &
later=$!
await "$scratch/later" '"watching"'
control 'hang 4'
"$MEMCTL" offline 40-47 >/dev/null 2>&1 &
change=$!
await_hang 43
kill -KILL "$change"
await "$scratch/later" '"job-finished".*"result":"cancelled"'
expect_state 40 47 '8 online'
kill -TERM "$later"

# What monitor told is as its schema says, line by line.
kill -TERM "$monitor"
wait "$monitor" || fail 'monitor ends well when it is asked to'
cp "$scratch/events" "$scratch/out"
out=$(<"$scratch/out") err='' command='monitor --json'
expect_schema event
expect_out_has '"event":"job-new"'

# memctld goes away in the middle: that is told, and what to do.
control 'hang 2'
"$MEMCTL" offline 40-47 >"$scratch/out" 2>"$scratch/err" &
change=$!
until "$MEMCTL" jobs -nr -o STATE | grep -q running; do :; done
kill -KILL "$MEMCTLD_PID"
status=0
wait "$change" || status=$?
out=$(<"$scratch/out") err=$(<"$scratch/err") command='offline 40-47, then memctld is killed'
expect_status 6
expect_err_has 'memctl: memctld went away while job'
