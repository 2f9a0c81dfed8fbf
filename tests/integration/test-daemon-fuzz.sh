#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Calls that make no sense, in any order, from clients that come and go: clear errors, no crash, no growth.

# AddressSanitizer keeps what was freed, up to 256 MiB: that would look like growth.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

fuzz=$MEMCTL_BUILD/tests/integration/bus-fuzz
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$MEMCTLD_PID/status"; }

out=$("$fuzz" clients 200)
printf '%s\n' "$out"
expect_has "200 clients at once" "$out" "200 clients, 400 replies, 0 errors"

out=$("$fuzz" selectors 100000)
expect "100 000 selectors" "$out" \
        "org.memctl1.Error.LimitsExceeded: a request takes 4096 selectors, this one has more; name runs (40-47) or ranges"
out=$("$fuzz" bad-utf8)
[[ $out != accepted ]] || fail "a string that is no UTF-8 was accepted"

"$fuzz" calls 2 >/dev/null
before=$(resident_kib)
"$fuzz" calls "${FUZZ_SECONDS:-20}" ${FUZZ_SEED:+"$FUZZ_SEED"} || fail "fuzzing the calls"
after=$(resident_kib)
echo "resident before and after: $before, $after KiB"
kill -0 "$MEMCTLD_PID" || fail "memctld is gone"
((after - before < ${FUZZ_GROWTH_KIB:-32768})) || fail "memctld grew from $before to $after KiB"

# What runs comes to an end, and the machine is as sound as before.
change offline memory40-47 ignore-headroom=true
until [[ $(result) == "done" ]]; do
        read -rt 0.2 <> <(:) || true
        change offline memory40-47 ignore-headroom=true
done
change online memory40-47
expect "afterwards" "$(result)" "done"
kill -TERM "$MEMCTLD_PID"
await_exit "$MEMCTLD_PID"
! grep -E 'Sanitizer|runtime error' /run/memctld.log || fail "a sanitizer spoke"

echo "$n_checks checks passed"
