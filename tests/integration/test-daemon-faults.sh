#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The fault matrix: a job of 16 blocks, a fault at one of its steps, forward or on the way back. Afterwards the memory
# is as before, as asked, or every block that is owed is named; and what memctld said of it is true. The argument is the
# part of the matrix; a line for each case is printed, and their number.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

part=${FAULTS_PART?the part of the matrix}
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
                # memctld may have made it good since, at once.
                [[ $now == "$before" ]] || expect_has "$what: something is owed" "$owed" x
                ;;
        *) fail "$what: result \"$result\" is none of those that may be" ;;
        esac
}

# Everything online in Movable again. Every fault was met: one that was left over would show here. Where something is
# owed, memctld may be at it itself once more, and refuses to be helped meanwhile.
restore() {
        local tries=0
        until [[ $(blocks $first $last) == "$before" ]]; do
                ((tries++ < 20)) || fail "restoring"
                change online memory40-55 || true
        done
        "$MEMCTL_BUILD/cli/memctl" wait >/dev/null 2>&1 || true
}

await_recovery() {
        start_memctld
        change --wait-job "$job"
}

# hung_job N [FAULT…]: a job whose Nth write hangs.
hung_job() {
        control "${@:2}" "hang $1"
        begin offline memory40-55
        await_write "$1"
}

# The write that hangs ends, is on file, and memctld, which is stopped, does not know.
finish_write_unseen() {
        kill -STOP "$MEMCTLD_PID"
        release
        until [[ $(grep -c '"result"' "/run/memctl/jobs/$job.journal") -eq $1 ]]; do read -rt 0.01 <> <(:) || true; done
}

stop_memctld() {
        kill -TERM "$MEMCTLD_PID"
}

cancel() {
        busctl --system call org.memctl1 "/org/memctl1/job/$job" org.memctl1.Job Cancel >/dev/null
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

# What the kernel says, and what does not matter.
errors() {
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

                control "lose $k"
                change offline memory40-55
                judge "event $k lost" "done"
                expect "what memctld shows" "$(get /org/memctl1/range/range0 Range OnlineBytes)" 0
                restore
        done
}

# Who ends it, before write k has done anything.
ended() {
        for ((k = 1; k <= n; k++)); do
                hung_job "$k"
                cancel
                finish
                judge "cancelled in write $k" cancelled
                restore

                hung_job "$k"
                kill -KILL "$(worker_pid)"
                finish
                judge "worker killed in write $k" failed
                restore

                hung_job "$k"
                kill -KILL "$MEMCTLD_PID"
                finish
                await_recovery
                judge "memctld killed in write $k" failed
                restore

                hung_job "$k"
                stop_memctld
                finish
                judge "memctld stopped in write $k" cancelled
                await_exit "$MEMCTLD_PID"
                start_memctld
                restore
        done
}

# Who ends it when write k is done.
after() {
        for ((k = 1; k < n; k++)); do
                # The worker does not wait for memctld before it goes on.
                hung_job "$k" "hang $((k + 1))"
                finish_write_unseen "$k"
                await_write $((k + 1))
                kill -KILL "$MEMCTLD_PID"
                finish
                await_recovery
                judge "memctld killed after write $k" failed
                restore

                hung_job "$k" "hang $((k + 1))"
                finish_write_unseen "$k"
                await_write $((k + 1))
                kill -KILL "$(worker_pid)"
                kill -CONT "$MEMCTLD_PID"
                finish
                judge "worker killed after write $k" failed
                restore
        done
        hung_job "$n"
        finish_write_unseen "$n"
        kill -KILL "$MEMCTLD_PID"
        finish
        await_recovery
        judge "memctld killed after the last write" "done"
        restore

        hung_job "$n"
        finish_write_unseen "$n"
        kill -KILL "$(worker_pid)"
        kill -CONT "$MEMCTLD_PID"
        finish
        judge "worker killed after the last write" "done"
        restore
}

back() {
        for ((k = 1; k < n; k++)); do
                for errno in EBUSY EPERM EIO; do
                        control "fail $n EBUSY" "fail $((n + k)) $errno"
                        change offline memory40-55
                        judge "write $k of the rollback fails: $errno" rollback-incomplete
                        restore
                done

                control "fail $n EBUSY" "fail $((n + k)) EINTR"
                change offline memory40-55
                judge "write $k of the rollback is interrupted" failed
                restore

                control "fail $n EBUSY" "lose $((n - 1 + k))"
                change offline memory40-55
                judge "event $k of the rollback lost" failed
                expect "what memctld shows" "$(get /org/memctl1/range/range0 Range OnlineBytes)" $((n << 27))
                restore
        done
}

back_ended() {
        for ((k = 1; k < n; k++)); do
                hung_job $((n + k)) "fail $n EBUSY"
                kill -KILL "$(worker_pid)"
                finish
                judge "worker killed in write $k of the rollback" failed
                restore

                hung_job $((n + k)) "fail $n EBUSY"
                kill -KILL "$MEMCTLD_PID"
                finish
                await_recovery
                judge "memctld killed in write $k of the rollback" failed
                restore

                hung_job $((n + k)) "fail $n EBUSY"
                finish_write_unseen $((n + k))
                kill -KILL "$MEMCTLD_PID"
                finish
                await_recovery
                judge "memctld killed after write $k of the rollback" failed
                restore

                hung_job $((n + k)) "fail $n EBUSY"
                stop_memctld
                release
                finish
                judge "memctld stopped in write $k of the rollback" failed
                await_exit "$MEMCTLD_PID"
                start_memctld
                restore
        done
}

no_journal() {
        mkdir -p /run/memctl/jobs
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
}

# limits SECONDS_OF_A_BLOCK SECONDS_OF_A_ROLLBACK
limits() {
        mkdir -p /etc/memctl/policy.d
        printf '[Match]\n[Offline]\nTimeoutSec=%s\n' "$1" >/etc/memctl/policy.d/10-limit.policy
        printf '[Manager]\nRollbackTimeoutSec=%s\n' "$2" >/etc/memctl/memctld.conf
        call Reload ""
}

# Writes that hang, and nobody ends them but memctld. On a busy machine the time may be up before the write that is to
# hang: the outcome is the same, and the fault must not be left for the next case.
hangs() {
        limits 1 60
        for ((k = 1; k <= n; k++)); do
                control "hang $k"
                change offline memory40-55
                control mend
                judge "write $k hangs" timed-out
                expect_has "write $k hangs: the block" "$out" " $((1 << 27)) failed 110"
                restore
        done
        limits 60 2
        for k in 1 8 15; do
                control "fail $n EBUSY" "hang $((n + k))"
                change offline memory40-55
                control mend
                judge "write $k of the rollback hangs" rollback-incomplete
                restore
        done
}

# stuck WHAT RESULT: what was begun does not end; its range is held, and the end is told when it comes.
stuck() {
        until [[ $(get "/org/memctl1/job/$job" Job State) == '"stuck"' ]]; do read -rt 0.1 <> <(:) || true; done
        call Offline 'asa{sv}' 1 range0 0 || true
        expect_has "$1: the range is held" "$out" "already works on"
        release
        finish
        judge "$1" "$2"
        restore
}

hangs_for_ever() {
        limits 60 15
        for k in 1 8 16; do
                control "hang $k forever"
                begin offline memory40-55
                await_hang $((first + k - 1))
                cancel
                stuck "write $k ignores SIGKILL until it ends" cancelled
        done
        # Whether the write that was thought lost did what it was to do, memctld sees when it looks.
        control "fail $n EBUSY" "hang $((n + 8)) forever"
        begin offline memory40-55
        stuck "write 8 of the rollback ignores SIGKILL until it ends" rollback-incomplete
}

"$part"
echo "$part: $n_cases cases, $n_checks checks passed"
