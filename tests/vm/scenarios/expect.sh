# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What a scenario in the guest is written with. Each of these prints one "ok" or "not ok" line.
#
#   expect STATUS NAME COMMAND…   runs it and compares its exit status; what it printed is in $output
#   expect_output NAME TEXT       $output is exactly TEXT
#   expect_line NAME REGEX        a line of $output matches
#   expect_no_line NAME REGEX     none does
#   expect_states NAME FIRST-LAST STATE   memoryN/state of these blocks
#   driver COMMAND…               a command to the third-party driver's module; its status is 0 or 1
#   as_nobody COMMAND…            it, without any privilege
#   blocks_of DEVICE              FIRST-LAST of an ACPI memory device
#   install_package               memctl from its package, by apt
#   use_policy NAME               an example policy of the package is put in force
#   order WORDS                   to the hypervisor, where there is one (hypervisor.sh); "order await: EVENT" waits

# shellcheck disable=SC1091 # beside the scenario, if it has one
[[ ! -f ${0%/*}/hypervisor.sh ]] || . "${0%/*}/hypervisor.sh"

output=
failed=0

result() {
        local verdict=$1 name=$2
        if [[ $verdict == ok ]]; then
                printf 'ok - %s\n' "$name"
                return
        fi
        printf 'not ok - %s\n' "$name"
        printf '%s\n' "$output" | sed 's/^/# /'
        failed=1
}

expect() {
        local wanted=$1 name=$2 status=0
        shift 2
        output=$("$@" 2>&1) || status=$?
        if ((status == wanted)); then
                result ok "$name"
        else
                output="exit status $status instead of $wanted of: $*
$output"
                result 'not ok' "$name"
        fi
}

expect_output() {
        if [[ $output == "$2" ]]; then
                result ok "$1"
        else
                output="$output
instead of
$2"
                result 'not ok' "$1"
        fi
}

expect_line() {
        if grep -Eq -- "$2" <<<"$output"; then
                result ok "$1"
        else
                output="no line matches $2 in
$output"
                result 'not ok' "$1"
        fi
}

expect_no_line() {
        if grep -Eq -- "$2" <<<"$output"; then
                output="a line matches $2 in
$output"
                result 'not ok' "$1"
        else
                result ok "$1"
        fi
}

states() {
        local first=${1%-*} last=${1#*-} block
        for ((block = first; block <= last; block++)); do
                cat "/sys/devices/system/memory/memory$block/state"
        done
}

expect_states() {
        local name=$1 blocks=$2 wanted=$3
        output=$(states "$blocks" 2>&1 | sort | uniq -c | sed 's/^ *//')
        if [[ $output == "$((${blocks#*-} - ${blocks%-*} + 1)) $wanted" ]]; then
                result ok "$name"
        else
                result 'not ok' "$name"
        fi
}

driver() {
        printf '%s\n' "$*" >/proc/hotplug-driver
}

as_nobody() {
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

blocks_of() {
        local link first='' last=''
        for link in /sys/devices/system/memory/memory*/firmware_node; do
                [[ $(readlink "$link") == */$1 ]] || continue
                link=${link%/firmware_node}
                link=${link##*/memory}
                ((link >= ${first:-$link})) || first=$link
                ((link <= ${last:-$link})) || last=$link
                first=${first:-$link} last=${last:-$link}
        done
        [[ -n $first ]] && echo "$first-$last"
}

# Where the guest's packages were only unpacked, apt would set up every one of them first.
install_package() {
        if [[ $(dpkg-query -W -f '${db:Status-Status}' systemd) == installed ]]; then
                expect 0 'apt installs the package' apt-get -q -y --no-install-recommends install /memctl.deb
        else
                expect 0 'the package is unpacked' dpkg-deb -x /memctl.deb /
                systemd-sysusers
                systemctl daemon-reload
                systemctl reload dbus
                systemctl enable --now memctld.socket memctld.service
        fi
        expect 0 'memctld.service is active' systemctl is-active memctld.service
        expect 0 'it started at once' test "$(systemctl show --property=NRestarts --value memctld.service)" = 0
        expect 0 'it will be after a boot' systemctl is-enabled memctld.service
}

use_policy() {
        mkdir -p /etc/memctl/policy.d
        cp "/usr/share/doc/memctl/examples/$1.policy" /etc/memctl/policy.d/
        systemctl reload memctld.service
}

# memctld sees a change when its uevent arrives, a moment after the kernel is done: run again until it is there.
await() {
        local deadline=$((SECONDS + ${await_seconds:-120}))
        until "$@" >/dev/null 2>&1; do
                ((SECONDS < deadline)) || return 1
                sleep 0.2
        done
}
