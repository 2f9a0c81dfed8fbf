#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Policy brings ranges online: those that appear and those that were there, each once in its life.

# shellcheck disable=SC2034 # for daemon.sh: no memctld yet
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

policies=/etc/memctl/policy.d

# stop_memctld: and wait until it is gone.
stop_memctld() {
        kill -TERM "$MEMCTLD_PID"
        await_exit "$MEMCTLD_PID"
}

# await_log TEXT: until memctld says it.
await_log() {
        until grep -qF -- "$1" /run/memctld.log; do read -rt 0.01 <> <(:) || true; done
}

# await_settled RANGE: until policy has had its say about it. What it says is said after that, so memctld must answer first.
await_settled() {
        until grep -qx -- "$1" /run/memctl/ranges-onlined 2>/dev/null; do read -rt 0.01 <> <(:) || true; done
        get /org/memctl1 Manager Version >/dev/null
}

# Until policy's jobs have ended. The kernel shows what they do before that.
await_jobs() {
        "$MEMCTL_BUILD/cli/memctl" wait || fail "waiting for policy's jobs"
}

mkdir -p /run/memctl "$policies"
cat >"$policies/50-dax.policy" <<END
[Match]
Name=System RAM (kmem)
[Online]
Mode=auto
END
cat >"$policies/60-manual.policy" <<END
[Match]
Name=firmware*
[Online]
Mode=manual
END
cat >"$policies/70-broken.policy" <<END
[Match]
Nmae=x
END
cat >"$policies/80-rest.policy" <<END
[Match]
MinimumSize=1G
[Online]
Mode=auto
Zone=kernel
END

# --- ranges that were there ------------------------------------------------------------------------------------

expect "the dax range at first" "$(blocks 8192 8239)" "$(printf '%48s' '' | tr ' ' -)"
start_memctld
await_blocks 8192 8239 "$(printf '%48s' '' | tr ' ' M)"
expect "its policy" "$(get /org/memctl1/range/range2 Range Policy)" '"50-dax"'
expect "its policy's file" "$(get /org/memctl1/range/range2 Range PolicyFile)" "\"$policies/50-dax.policy\""
expect_has "the broken file" "$(cat /run/memctld.log)" "$policies/70-broken.policy:2: "
call ListPolicies ""
expect_has "the broken file over the bus" "$out" "1 \"$policies/70-broken.policy\" 2 \"[Match] has no key Nmae"
expect_has "a policy and its range" "$out" "\"50-dax\" \"$policies/50-dax.policy\" 7 \"Match.Name\" \"System RAM (kmem)\" \"Online.Mode\" \"auto\""
expect_has "what holds where no key says it" "$out" '"Offline.KeepAvailable" "5%" "Offline.TimeoutSec" "60" "Remove.Allow" "yes" 1 "range2"'
expect_has "the built-in default" "$out" '"" "" 6 "Online.Mode" "manual"'
expect "others are in force" "$(get /org/memctl1/range/range0 Range Policy)" '"80-rest"'

# What an administrator took offline stays so over a restart.
await_jobs
change offline range2
expect "the result" "$(result)" "done"
stop_memctld
start_memctld
change online range0
expect "the dax range after a restart" "$(blocks 8192 8239)" "$(printf '%48s' '' | tr ' ' -)"

# --- ranges that appear ----------------------------------------------------------------------------------------

control "hot-add 0x200000000 2G 0"
await_blocks 64 79 NNNNNNNNNNNNNNNN

control "hot-add 0x300000000 1G 0 firmware memory"
await_log 'policy "60-manual" leaves it to the administrator'
expect "the manual range" "$(blocks 96 103)" --------

# Too small for the last policy, so the built-in default counts.
control "hot-add 0x340000000 512M 0"
await_log 'policy "" leaves it to the administrator'
expect "the small range" "$(blocks 104 107)" ----

# What is left of a range that was removed in part is not brought online again.
await_jobs
change offline memory64-79
expect "the result" "$(result)" "done"
n=$(grep -c 'brings it online' /run/memctld.log)
control "remove 0x200000000 1G"
until get /org/memctl1/range/range5 Range Name 2>/dev/null | grep -q . ||
        get /org/memctl1/range/range6 Range Name 2>/dev/null | grep -q .; do
        read -rt 0.01 <> <(:) || true
done
change offline memory72-79
expect "the rest" "$(blocks 72 79)" --------
expect "policy's doings" "$(grep -c 'brings it online' /run/memctld.log)" "$n"

# --- the kernel's own policy -----------------------------------------------------------------------------------

echo online_movable >/sys/devices/system/memory/auto_online_blocks
stop_memctld
start_memctld
control "hot-add 0x400000000 1G 0"
await_log "the kernel onlines memory by itself (auto_online_blocks is online_movable)"

# It is said once, not once a range, and again when it is so again.
control "hot-add 0x480000000 1G 0"
await_settled range8
expect "said once" "$(grep -c 'the kernel onlines memory by itself' /run/memctld.log)" 1
echo offline >/sys/devices/system/memory/auto_online_blocks
control "hot-add 0x500000000 1G 0"
await_blocks 160 167 NNNNNNNN
echo online_movable >/sys/devices/system/memory/auto_online_blocks
control "hot-add 0x580000000 1G 0"
await_settled range10
expect "said again" "$(grep -c 'the kernel onlines memory by itself' /run/memctld.log)" 2

# --- reload ----------------------------------------------------------------------------------------------------

rm "$policies/50-dax.policy"
expect "before" "$(get /org/memctl1/range/range2 Range Policy)" '"50-dax"'
call Reload ""
expect "after Reload" "$(get /org/memctl1/range/range2 Range Policy)" '"80-rest"'
echo "[Match]" >"$policies/10-all.policy"
kill -HUP "$MEMCTLD_PID"
until [[ $(get /org/memctl1/range/range2 Range Policy) == '"10-all"' ]]; do read -rt 0.01 <> <(:) || true; done

echo "$n_checks checks passed"
