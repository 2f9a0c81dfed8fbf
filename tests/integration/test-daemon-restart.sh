#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What memctld knows of its jobs after a restart: how they ended, and what is still owed, which it tries again.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# restart SIGNAL
restart() {
        kill "-$1" "$MEMCTLD_PID"
        await_exit "$MEMCTLD_PID"
        start_memctld
}

job_of() { sed -n 's/^job //p' <<<"$out"; }
has_result() { [[ $(get "/org/memctl1/job/$1" Job Result) == "\"$2\"" ]]; }
# await_result JOB RESULT
await_result() {
        until has_result "$@"; do read -rt 0.01 <> <(:) || true; done
}
# It is said each time that it was tried.
n_tries() { grep -c 'memory42 could not be brought back to offline' /run/memctld.log || true; }

# await_try N: until it was tried again after the Nth time, and is still owed
await_try() {
        until (($(n_tries) > $1)); do read -rt 0.01 <> <(:) || true; done
        await_result "$owing_job" rollback-incomplete
        expect "still owed" "$(blocks 40 47)" --M-----
}

# All that the bus tells of a job.
story() {
        local property
        for property in Id Verb State Result RequestId Selectors BytesTotal BytesDone StartedByUID; do
                printf '%s %s\n' "$property" "$(get "/org/memctl1/job/$1" Job "$property")"
        done
        busctl --system call org.memctl1 "/org/memctl1/job/$1" org.memctl1.Job GetResults
}

# --- how they ended ----------------------------------------------------------------------------------------------

change offline memory40-47 request-id=first
done_job=$(job_of)
control "fail 3 EPERM"
change offline memory48-55
failed_job=$(job_of)
control "fail 6 EBUSY"
change offline range1 best-effort=true
partial_job=$(job_of)
control "hang 2"
begin online memory40-47
until [[ $(grep -c '"intent"' "/run/memctl/jobs/$job.journal" 2>/dev/null) == 2 ]]; do read -rt 0.01 <> <(:) || true; done
busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel >/dev/null
finish
cancelled_job=$job
expect "before" "$(get "/org/memctl1/job/$done_job" Job Result) $(get "/org/memctl1/job/$failed_job" Job Result)" '"done" "failed"'
expect "before" "$(get "/org/memctl1/job/$partial_job" Job Result) $(get "/org/memctl1/job/$cancelled_job" Job Result)" \
        '"partial" "cancelled"'
jobs=("$done_job" "$failed_job" "$partial_job" "$cancelled_job")
before=$(for job in "${jobs[@]}"; do story "$job"; done)
expect_has "a failure's errno" "$before" '"failed" 1 '
for signal in TERM KILL; do
        restart "$signal"
        expect "after SIG$signal" "$(for job in "${jobs[@]}"; do story "$job"; done)" "$before"
done

# What was asked for once is not done twice, and no number is given twice.
change online memory40-47
change offline memory40-47 request-id=first
expect "the same request" "$(job_of) $(result) $(blocks 40 47)" "$done_job done MMMMMMMM"
change offline memory40-47
(($(job_of) == cancelled_job + 2)) || fail "the number $(job_of) does not follow $cancelled_job + 1"
change online memory40-47,4288-4319

# --- what is owed ------------------------------------------------------------------------------------------------

# The fourth that is written cannot go online, and the second not back: memory42, as memory41 comes last.
change offline memory40-47
control "unmovable $((42 << 27)) 128M" "fail 4 EBUSY"
change online memory40-47
owing_job=$(job_of)
expect "a rollback that cannot be finished" "$(result)" rollback-incomplete
expect "what is owed" "$(blocks 40 47)" --M-----
expect_has "it is named" "$out" "$(printf '0x%x' $((42 << 27))) $((1 << 27)) owed 16"

# Something happens elsewhere: it is tried again, and is still owed. So it is at each start.
n=$(n_tries)
((n > 0)) || fail "nobody says what is owed"
change offline memory4288-4295
await_try "$n"
for signal in TERM KILL; do
        n=$(n_tries)
        restart "$signal"
        await_try "$n"
done

# Once it can go back it does, and that is the end of it.
control "movable $((42 << 27)) 128M"
change online memory4288-4295
await_result "$owing_job" failed
expect "paid" "$(blocks 40 47)" --------
change --wait-job "$owing_job"
expect "nothing is owed" "$(grep -c owed <<<"$out" || true)" 0
n=$(n_tries)
restart KILL
expect "nor after a start" "$(get "/org/memctl1/job/$owing_job" Job Result) $(n_tries)" "\"failed\" $n"
change online memory40-47
expect "the blocks are free" "$(result) $(blocks 40 47)" "done MMMMMMMM"

echo "$n_checks checks passed"
