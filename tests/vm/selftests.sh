#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the kernel's own tests of memory hotplug, those named, as they were installed in /selftests.
# Memory that can go offline: that of the boot cannot on arm64.
if [ -n "$add" ]; then
	echo "add $add" >/proc/hotplug-driver || exit
fi
cd /selftests/memory-hotplug || exit
status=0
for program in $programs; do
	echo "# program: $program"
	"./$program" || status=$?
done
exit $status
