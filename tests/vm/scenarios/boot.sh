#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel stock --root debian --memory 2G
#
# The Debian guest is the machine that the other scenarios take it for.

. "$(dirname "$0")/expect.sh"

expect 0 'systemd is PID 1' grep -x systemd /proc/1/comm
expect 0 'multi-user.target is reached' systemctl is-active multi-user.target
expect 0 'dbus is active' systemctl is-active dbus.service
expect 0 'udevd is active' systemctl is-active systemd-udevd.service
expect 0 'polkit answers on the bus' busctl get-property org.freedesktop.PolicyKit1 \
	/org/freedesktop/PolicyKit1/Authority org.freedesktop.PolicyKit1.Authority BackendName
expect 0 'no unit has failed' bash -c 'systemctl --failed --no-legend; test -z "$(systemctl --failed --no-legend)"'

exit $failed
