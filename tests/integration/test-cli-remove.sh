#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl remove: what it prints and how it ends; which drivers it tells is test-daemon-removal.sh's.

. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

control() {
        printf '%s\n' "$@" >"$MEMSIM/control" || fail "control: $*: $(tail -n 1 "$MEMSIM/log")"
}

memctl remove --dry-run device:PNP0C80:00
expect_status 0
expect_out 'remove: 4 GiB would change, in this order:
  memory4288-4319         4 GiB  goes offline, in 4 steps
  memory4288-4319         4 GiB  is removed by its driver
Nothing was changed.'
memctl plan remove device:PNP0C80:00 --json
expect_status 0
expect_schema plan
expect_json 'd["steps"][-1]["blocks"], d["steps"][-1]["state"]' "('memory4288-4319', 'removed')"

memctl plan remove device:dax0.0 --json
expect_schema plan
expect_json 'd["bytes_total"]' 6442450944

# Refused, each with its reason: exit 4, or 3 where a mapping would be split.
memctl remove memory4288
expect_status 4
expect_err_has 'memctl: refused: memory4288 (128 MiB) of range1 is part of device PNP0C80:00, which can be removed only as a whole'
expect_err_has 'whole device:       memctl remove device:PNP0C80:00'
memctl remove range0
expect_status 4
expect_err_has "cannot be removed: only the driver that added 'System RAM' can do that"
memctl remove node0
expect_status 4
expect_err_has 'is boot memory, which cannot be removed'
memctl remove 4G
expect_status 2

# A device that is half offline goes all the same, and show says so.
"$MEMCTL" offline 4288-4295 >/dev/null
memctl show device:PNP0C80:00
expect_status 0
[ "$(grep -c '^  Remove:    can be done as memory4288-4319$' <<<"$out")" -eq 2 ] || fail 'it can be removed as a whole'
memctl show 4288-4295
expect_out_has 'Remove:    no, whole-device: '
"$MEMCTL" online 4288-4295 >/dev/null

# A kernel that has other things to do: not complete, exit 7, and every block named.
control hold-ejects
memctl remove --timeout=1s device:PNP0C80:00
expect_status 7
expect_err 'memctl: remove is not complete: not everything below is gone, or as it was
memory4288-4319 (4 GiB): owed, EINPROGRESS: its device was told to let go of it and has not yet; it may still go, so it is left offline'
control run-ejects

# Done. What went counts once, though it went offline and then away.
"$MEMCTL" online 8192-8199 >/dev/null
memctl remove device:dax0.0
expect_status 0
expect_no_err
expect_out 'memory8192-8239 (6 GiB): removed'
memctl jobs -bnr -o VERB,RESULT,SIZE,DONE
[[ $out == *'
remove done 6442450944 6442450944' ]] || fail 'it was to count 6 GiB'
memctl list device:dax0.0
expect_status 4
