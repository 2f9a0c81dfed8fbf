#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G
#
# What goes wrong before anything is touched: each has its own exit status and names what is wrong.

. "$(dirname "$0")/expect.sh"

expect 0 'a machine without a hot-added range lists' memctl list
expect 0 'list --ranges is empty, not an error' memctl list --ranges
expect 0 'list --units is empty, not an error' memctl list --units

expect 2 'a selector that cannot be parsed' memctl offline blue
expect_line 'it is named' 'blue'
expect 2 'an address that is not aligned' memctl offline 0x40000001-0x47ffffff
expect_line 'the nearest aligned ones are named' '0x40000000.*0x48000000'
expect 2 'an unknown verb' memctl offlin 40
expect_line 'the nearest verb is suggested' 'offline'
expect 4 'a block that is not there' memctl offline memory9999
expect_line 'it is named' 'memory9999'
expect 4 'a range that is not there' memctl offline range7
expect_line 'it is named' 'range7'
expect 4 'boot memory is not offlined on arm64' memctl offline memory9
expect_line 'it says so' 'boot'

expect 0 'anyone may read' as_nobody memctl list
expect_no_line 'it is memctld that answers' 'cannot be reached'
expect 0 'anyone may plan' as_nobody memctl online --dry-run memory9
expect_no_line 'it is memctld that plans' 'cannot be reached'
expect 5 'but not change' as_nobody memctl online memory9
expect_line 'it says what is missing' '[Nn]ot (authori[sz]ed|permitted)|denied|authori[sz]'

expect 0 'memctld can be stopped' systemctl stop memctld.service memctld.socket
expect 0 'and is started again by the bus' memctl online --dry-run memory9
expect_no_line 'it is memctld that plans, again' 'cannot be reached'
expect 0 'it runs again' systemctl is-active memctld.service
systemctl stop memctld.service memctld.socket
systemctl mask --runtime memctld.service
expect 6 'no daemon to be had' memctl online memory9
expect_line 'it says what to do' 'cannot be reached'
expect 0 'list reads sysfs itself' memctl list
expect_line 'and says so' 'this is read from sysfs'

exit $failed
