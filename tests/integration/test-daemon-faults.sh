#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The fault matrix: a job of 16 blocks, a fault at one of its writes, forward or on the way back. Afterwards the memory
# is as before, as asked, or every block that is owed is named; and what memctld said of it is true.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

first=40 last=55 n=16
before=MMMMMMMMMMMMMMMM
n_cases=0

# Blocks (a letter each) whose outcome in $out is $1.
blocks_with_outcome() {
        local start size outcome block text=()

        for ((block = first; block <= last; block++)); do text[block]=.; done
        while read -r start size outcome _; do
                [[ $outcome == "$1" ]] || continue
                for ((block = start >> 27; block < (start + size) >> 27; block++)); do text[block]=x; done
        done < <(grep '^0x' <<<"$out")
        (IFS= && printf '%s\n' "${text[*]}")
}

# The one judgement for all cases: what is there, against what was said.
judge() {
        local what=$1 wanted=$2 now result block owed
        now=$(blocks $first $last)
        result=$(result)
        n_cases=$((n_cases + 1))
        printf '%-44s %-20s %s\n' "$what" "$result" "$now"
        expect "$what: the result" "$result" "$wanted"
        case $result in
        done) expect "$what: as asked" "$now" ---------------- ;;
        failed | cancelled | timed-out) expect "$what: as before" "$now" "$before" ;;
        rollback-incomplete)
                owed=$(blocks_with_outcome owed)
                for ((block = 0; block < n; block++)); do
                        [[ ${now:block:1} == M || ${owed:block:1} == x ]] ||
                                fail "$what: block $((first + block)) is not as before and not owed"
                done
                expect_has "$what: something is owed" "$owed" x
                ;;
        *) fail "$what: result \"$result\" is none of those that may be" ;;
        esac
}

# Everything online in Movable again. Every fault was met: one that was left over would show here.
restore() {
        change online memory40-55
        expect "restoring" "$(blocks $first $last)" "$before"
}

await_recovery() {
        start_memctld
        change --wait-job "$job"
}

# The worker that writes: the one that holds the journal.
worker_pid() {
        local fd
        fd=$(find /proc/[0-9]*/fd -lname "*/jobs/$job.journal" -print -quit 2>/dev/null)
        fd=${fd#/proc/}
        echo "${fd%%/*}"
}

# await_write N: the Nth write of the job, those of the rollback counted on, is in the kernel.
await_write() {
        until [[ $(grep -c '"intent"' "/run/memctl/jobs/$job.journal") -eq $1 &&
                $(cat "/proc/$(worker_pid)/wchan") == request_wait_answer ]]; do
                read -rt 0.01 <> <(:) || true
        done 2>/dev/null
}

# --- forward ---------------------------------------------------------------------------------------------------

for ((k = 1; k <= n; k++)); do
        for errno in EBUSY EPERM EIO; do
                control "fail $k $errno"
                change offline memory40-55
                judge "write $k fails: $errno" failed
                restore
        done

        control "fail $k EINTR"
        change offline memory40-55
        judge "write $k is interrupted by a stranger" "done"
        restore

        control "hang $k"
        begin offline memory40-55
        await_write "$k"
        busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel >/dev/null
        finish
        judge "cancelled in write $k" cancelled
        restore

        control "hang $k"
        begin offline memory40-55
        await_write "$k"
        kill -KILL "$(worker_pid)"
        finish
        judge "worker killed in write $k" failed
        restore

        control "hang $k"
        begin offline memory40-55
        await_write "$k"
        kill -KILL "$MEMCTLD_PID"
        finish
        await_recovery
        judge "memctld killed in write $k" failed
        restore

        control "hang $k"
        begin offline memory40-55
        await_write "$k"
        kill -TERM "$MEMCTLD_PID"
        finish
        judge "memctld stopped in write $k" cancelled
        await_exit "$MEMCTLD_PID"
        start_memctld
        restore

        control "lose $k"
        change offline memory40-55
        judge "event $k lost" "done"
        expect "what memctld shows" "$(get /org/memctl1/range/range0 Range OnlineBytes)" 0
        restore
done

# --- back ------------------------------------------------------------------------------------------------------

for ((k = 1; k < n; k++)); do
        for errno in EBUSY EIO; do
                control "fail $n EBUSY" "fail $((n + k)) $errno"
                change offline memory40-55
                judge "write $k of the rollback fails: $errno" rollback-incomplete
                restore
        done

        control "fail $n EBUSY" "hang $((n + k))"
        begin offline memory40-55
        await_write $((n + k))
        kill -KILL "$MEMCTLD_PID"
        finish
        await_recovery
        judge "memctld killed in write $k of the rollback" failed
        restore
done

# --- the journal -----------------------------------------------------------------------------------------------

mount -t tmpfs -o size=4k tmpfs /run/memctl/jobs
change offline memory40-55
judge "no room for the journal" failed
expect_has "no room for the journal: no block is tried" "$out" "not-tried 28"
umount /run/memctl/jobs

mount -t tmpfs -o ro tmpfs /run/memctl/jobs
change offline memory40-55
judge "the journal's folder cannot be written" failed
expect_has "the journal's folder cannot be written: no block is tried" "$out" "not-tried 30"
umount /run/memctl/jobs

# --- writes that hang --------------------------------------------------------------------------------------------

# A second without progress: a limit for the whole job would strike before the write that hangs on a busy machine, and
# the fault would be left for the next case.
mkdir -p /etc/memctl/policy.d
printf '[Match]\n[Offline]\nTimeoutSec=1\n' >/etc/memctl/policy.d/10-impatient.policy
call Reload ""

for ((k = 1; k <= n; k++)); do
        control "hang $k"
        change offline memory40-55
        judge "write $k hangs" timed-out
        expect_has "write $k hangs: the block" "$out" "$(printf '0x%x %u failed 110' $(((first + k - 1) << 27)) $((1 << 27)))"
        restore
done

for k in 1 8 16; do
        control "hang $k forever"
        begin offline memory40-55
        until [[ $(get "/org/memctl1/job/$job" Job State) == '"stuck"' ]]; do read -rt 0.1 <> <(:) || true; done
        call Offline 'asa{sv}' 1 range0 0 || true
        expect_has "the range is held" "$out" "already works on"
        control release
        finish
        judge "write $k ignores SIGKILL until it ends" timed-out
        restore
done

echo "$n_cases cases, $n_checks checks passed"
