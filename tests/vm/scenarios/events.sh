#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 8G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
# suite: drivers
#
# In which order the kernel tells of ranges and of their blocks, as programs that listen to it rely on.

. "$(dirname "$0")/expect.sh"

raw=/tmp/events

# events: one a line, as "ACTION NAME" and what a range's says of it; of blocks that follow each other, one line
events() {
        awk '
                function flush() { if (action != "") print action " " first (last != first ? "-" last : ""); action = "" }
                function take(    number) {
                        number = name
                        if (sub(/^memory/, "", number)) {
                                if (act != action || number != last + 1) { flush(); action = act; first = number }
                                last = number
                        } else { flush(); print act " " name " " start " " size (of ? " of " of : "") }
                }
                /^KERNEL\[/ { act = $2; name = $3; sub(/.*\//, "", name); start = size = of = "" }
                sub(/^MEMORY_RANGE_START=/, "") { start = $0 }
                sub(/^MEMORY_RANGE_SIZE=/, "") { size = $0 }
                sub(/^MEMORY_RANGE_REMAINDER_OF=/, "") { of = $0 }
                $0 == "" && name != "" { take(); name = "" }
                END { flush() }' $raw
}
ends_with() { [[ $(events | tail -n 1) == "$1" ]]; }

# expect_events NAME LAST COMMAND…: then come the events on standard input, the last of which is waited for
expect_events() {
        : >$raw
        expect 0 "$1" "${@:3}"
        expect 0 "$1: the last event" await ends_with "$2"
        output=$(events)
        expect_output "$1: the events" "$(cat)"
}

udevadm monitor --kernel --property --subsystem-match=memory --subsystem-match=memory_range >>$raw &
monitor=$!
expect 0 'it listens' await grep -q KERNEL $raw

echo online_movable >/sys/devices/system/memory/auto_online_blocks
expect_events 'memory that the kernel onlines by itself' 'online 40-41' driver add 0x140000000 0x10000000 <<END
add 40-41
add range0 0x140000000 268435456
online 40-41
END
expect_events 'it goes as it came' 'remove 40-41' driver offline_and_remove 0x140000000 0x10000000 <<END
offline 40-41
remove range0 0x140000000 268435456
remove 40-41
END

echo offline >/sys/devices/system/memory/auto_online_blocks
expect_events '3 GiB' 'add range1 0x140000000 3221225472' driver add 0x140000000 0xc0000000 <<END
add 40-63
add range1 0x140000000 3221225472
END
expect_events 'what is left of a range is two others' 'add range3 0x1c0000000 1073741824 of range1' \
        driver remove 0x180000000 0x40000000 <<END
remove range1 0x140000000 3221225472
remove 48-55
add range2 0x140000000 1073741824 of range1
add range3 0x1c0000000 1073741824 of range1
END
: >$raw
expect 1 'a removal that would split a mapping is refused' driver remove 0x140000000 0x8000000
expect_events 'and nobody hears of it' 'remove 40-47' driver remove 0x140000000 0x40000000 <<END
remove range2 0x140000000 1073741824 of range1
remove 40-47
END

kill $monitor
exit $failed
