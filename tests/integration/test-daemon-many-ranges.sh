#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One policy for more ranges than a person may have jobs or a reading has places: each is brought online, once.

# shellcheck disable=SC2034 # for daemon.sh: memctld is started here
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

n=70
movable=$(printf "%${n}s" '' | tr ' ' M)

# add FIRST_BLOCK: n ranges of a block each
add() {
        local block commands=()
        for ((block = $1; block < $1 + n; block++)); do commands+=("hot-add $((block << 27)) 128M 0 one-of-many"); done
        control "${commands[@]}"
}
n_onlined() { grep -c 'policy "many" brings it online' /run/memctld.log || true; }
n_finished() { grep -c '(online) is finished: done' /run/memctld.log || true; }
# await_finished N: until so many jobs are through
await_finished() {
        until (($(n_finished) >= $1)); do read -rt 0.05 <> <(:) || true; done
}

mkdir -p /run/memctl /etc/memctl/policy.d
printf '[Match]\nName=one-of-many\n[Online]\nMode=auto\n' >/etc/memctl/policy.d/many.policy

# There before memctld.
add 64
start_memctld
await_finished $n
expect "ranges that were there" "$(blocks 64 $((64 + n - 1)))" "$movable"

# They appear while somebody has other things to do.
exec {adding}< <(add 1024)
change offline memory40-47
expect "meanwhile" "$(result)" "done"
cat <&"$adding"
await_finished $((2 * n))
expect "ranges that appear" "$(blocks 1024 $((1024 + n - 1)))" "$movable"
expect "each once" "$(n_onlined) $(n_finished)" "$((2 * n)) $((2 * n))"

echo "$n_checks checks passed"
