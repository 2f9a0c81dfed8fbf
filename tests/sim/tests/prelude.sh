# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of the simulated machine begin with: they run themselves again on a machine.
#
#   on_machine [DESCRIPTION]   first thing in a test; the name of a file in machines/, without .json
#   write TEXT FILE            one write, as echo makes it
#   listen                     start to listen to events
#   heard                      $output is what has happened since
# and everything in ../../vm/scenarios/expect.sh.

sim=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/..
# shellcheck source=tests/vm/scenarios/expect.sh
. "$sim/../vm/scenarios/expect.sh"
memory=/sys/devices/system/memory
export LC_ALL=C

# Exit status 77 is "skipped" in meson's words.
on_machine() {
        [[ -z ${MEMSIM-} ]] || return 0
        if [[ $EUID -ne 0 ]]; then
                echo "skip: needs root"
                exit 77
        fi
        exec "$sim/machine" --description "$sim/machines/${1-default}.json" ${machine_options-} "$BASH" "$0"
}

write() {
        printf '%s\n' "$1" >"$2"
}

listen() {
        local line
        exec {events}< <(exec "$MEMCTL_BUILD/tests/sim/uevent-listener" "$@")
        read -r line <&"$events" && [[ $line == listening ]]
}

# An event of our own marks the end of those that came before.
heard() {
        write change /sys/devices/system/node/node0/uevent
        output=$(cat <&"$events")
        exec {events}<&-
}
