#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hundred thousand events at once: everybody is answered meanwhile, memory does not grow with them, and what is shown
# afterwards is true. And one that does not come.

# AddressSanitizer keeps what was freed, up to 256 MiB: that would look like growth.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$MEMCTLD_PID/status"; }

burst() {
        out=$("$MEMCTL_BUILD/tests/integration/uevent-burst" "$@" 2>&1) || fail "the burst"
        printf '%s\n' "$out"
}

# What is needed once is there after the first.
burst 10000 10
before=$(resident_kib)
burst 100000 20
after=$(resident_kib)
echo "resident before and after: $before, $after KiB"
((after - before < 4096)) || fail "memctld grew from $before to $after KiB"

change offline memory40-47
expect "the result" "$(result)" "done"
expect "what memctld shows" "$(get /org/memctl1/range/range0 Range OnlineBytes)" $((8 << 27))
expect "the blocks" "$(blocks 40 55)" "--------MMMMMMMM"

# New blocks wait for the event of their range, but not for one that was lost.
offline_bytes() { get /org/memctl1 Manager OfflineBytes; }
before=$(offline_bytes)
control "lose 9" "hot-add 0x200000000 1G 0"
until (($(offline_bytes) == before + (1 << 30))); do read -rt 0.01 <> <(:) || true; done
control "hot-add 0x240000000 1G 0"
until (($(offline_bytes) == before + (2 << 30))); do read -rt 0.01 <> <(:) || true; done

echo "$n_checks checks passed"
