#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G --module tests/vm/many-ranges.c
# guest: --arch x86_64 --kernel patched --root debian --memory 2G --module tests/vm/many-ranges.c
# installs: package
# suite: drivers
#
# A thousand ranges at once: udevd tags them, PID 1 has no unit for any of them, and everybody still answers.

. "$(dirname "$0")/expect.sh"

# All that udevd has finished with, and has given the tag.
n_tagged() { udevadm trigger --dry-run --verbose --subsystem-match=memory_range --tag-match=memctl --initialized-match | wc -l; }
all_tagged() { [[ $(n_tagged) == "$1" ]]; }
n_units() { systemctl list-units --all --no-legend --plain | wc -l; }

install_package
units_before=$(n_units)
echo 1000 >/proc/many-ranges
expect 0 'udevd has been through all of them' await all_tagged 1000
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
