#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G --module tests/vm/many-ranges.c
# guest: --arch x86_64 --kernel patched --root debian --memory 2G --module tests/vm/many-ranges.c
# installs: package
# suite: drivers
# timeout: 1800
#
# A thousand ranges at once: udevd tags them, PID 1 has no unit for any of them, and everybody still answers.

. "$(dirname "$0")/expect.sh"

# All that udevd has finished with, and has given the tag.
n_tagged() { udevadm trigger --dry-run --verbose --subsystem-match=memory_range --tag-match=memctl --initialized-match | wc -l; }
all_tagged() { [[ $(n_tagged) == "$1" ]]; }
n_units() { systemctl list-units --all --no-legend --plain | wc -l; }

# udevd has a thousand events to go through, in an emulator.
await_seconds=600
# cpu_of_pid1: in hundredths of a second
cpu_of_pid1() { awk '{ print $14 + $15 }' /proc/1/stat; }

install_package
units_before=$(n_units)
cpu_before=$(cpu_of_pid1)
echo 1000 >/proc/many-ranges
expect 0 'udevd has been through all of them' await all_tagged 1000
output=$(($(cpu_of_pid1) - cpu_before))
# A unit for each takes PID 1 some milliseconds each, more than that in an emulator.
expect 0 "PID 1 was left in peace ($((output * 10)) ms)" test "$output" -lt 500
output=$(n_units)
if ((output - units_before < 10)); then
        result ok 'PID 1 has no units for them'
else
        result 'not ok' 'PID 1 has no units for them'
fi
expect 0 'systemd answers' systemctl is-active memctld.service
expect 0 'memctld answers' memctl list
expect_no_line 'itself' 'cannot be reached'
echo 0 >/proc/many-ranges
expect 0 'and they go' await all_tagged 0
expect 0 'systemd answers' systemctl is-active memctld.service

exit $failed
