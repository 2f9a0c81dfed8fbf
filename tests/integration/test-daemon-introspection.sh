#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The D-Bus interface is what docs/ says: the XML there is what memctld gives, and org.memctl1(5) names every member,
# option and error.
#
# Run with the build folder in MEMCTL_BUILD.

set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
memctld=$MEMCTL_BUILD/daemon/memctld
status=0

for object in Manager:/org/memctl1 Range:/org/memctl1/range/range0 Job:/org/memctl1/job/1; do
        file=docs/org.memctl1.${object%%:*}.xml
        if ! diff -u <(grep -v SPDX-License-Identifier "$top/$file") <("$memctld" --bus-introspect "${object#*:}"); then
                echo "$file: write it anew with memctld --bus-introspect ${object#*:}" >&2
                status=1
        fi
done

manual=$top/docs/org.memctl1.5
while read -r member; do
        grep -qF "\\fB$member\\fR" "$manual" || {
                echo "docs/org.memctl1.5 does not document $member" >&2
                status=1
        }
done < <(
        sed -n '/interface name="org.memctl1/,/<\/interface>/s/.*<\(method\|signal\|property\) name="\([^"]*\)".*/\2/p' \
                "$top"/docs/org.memctl1.*.xml
        sed -n 's/.*"org\.memctl1\.Error\.\(.*\)".*/\1/p' "$top/daemon/bus-errors.h"
        sed -n 's/^ *{ "\([a-z-]*\)", "[a-z]", .*/\1/p' "$top/daemon/bus-options.c"
        sed -n 's/.*action id="\(org\.memctl1\.[a-z-]*\)".*/\1/p' "$top/units/org.memctl1.policy.in"
)
# journalctl -x explains every message that has an identity, and no other.
diff -u <(sed -n 's/.*"MESSAGE_ID=\(.*\)".*/\1/p' "$top/daemon/messages.h" | sort) \
        <(sed -n 's/^-- //p' "$top/units/memctl.catalog" | sort) || status=1
exit $status
