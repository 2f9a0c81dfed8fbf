#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --plain --root debian --memory 40G --append "rodata=off mem=4G" --module tests/vm/hotplug-driver.c --qemu-arg -object --qemu-arg memory-backend-ram,id=ram,size=40G,reserve=off --qemu-arg -machine --qemu-arg memory-backend=ram
# installs: package
# program: tests/vm/scenarios/online-timer.c
# suite: bench
# timeout: 3000
#
# From hot-adding memory to its last block being online: by the kernel itself, by a udev rule, and by memctld; by the
# kernel and by memctld also without udevd, which takes time from each of them. Prints the medians of five runs, the
# ways taking turns, and their ratios. The bound for memctld without udevd is on the kernel's time on a system as it
# comes, with udevd; what the kernel takes without is printed for who compares like with like. The policy names no
# driver: for one of the firmware's, whose link comes after the events, memctld would wait a second.

. "$(dirname "$0")/expect.sh"

memory=/sys/devices/system/memory
start=$((0x140000000))
block_size=$((0x$(<$memory/block_size_bytes)))
rule=/run/udev/rules.d/99-online.rules

udevd() {
        local units=(systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket)
        systemctl "$1" "${units[@]}" 2>/dev/null
        [[ $1 == start ]] || rm -f /run/udev/control
}
memctld() { systemctl "$1" memctld.socket memctld.service; }

# set_up WAY: nobody but that onlines memory
set_up() {
        echo offline >$memory/auto_online_blocks
        rm -f $rule
        memctld stop 2>/dev/null
        case $1 in
        *-alone) udevd stop ;;
        *) udevd start ;;
        esac
        case $1 in
        kernel | kernel-alone) echo online_movable >$memory/auto_online_blocks ;;
        rule)
                mkdir -p "${rule%/*}"
                echo 'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online_movable"' >$rule
                ;;
        # It has read the machine when it answers.
        memctld | memctld-alone) memctld start && memctl list >/dev/null ;;
        esac
        [[ $1 == *-alone ]] || { udevadm control --reload && udevadm settle; }
}

# take_back SIZE
take_back() {
        local block
        memctld stop 2>/dev/null
        for ((block = start / block_size; block < (start + $1) / block_size; block++)); do
                echo offline >$memory/memory$block/state || return
        done
        driver remove $start "$1"
}

# run WAY SIZE: its time goes to /tmp/WAY
run() {
        set_up "$1" && /payload/online-timer $start "$2" $block_size >>"/tmp/$1" && take_back "$2"
}

median() { sort -n "/tmp/$1" | sed -n 3p; }
is_faster() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { exit !(a < b) }'; }
is_at_most() { awk -v a="$(median "$1")" -v b="$(median "$2")" -v limit="$3" 'BEGIN { exit !(a <= limit * b) }'; }
ratio() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { printf "%.2f", a / b }'; }

ways='kernel rule memctld kernel-alone memctld-alone'

install_package
mkdir -p /etc/memctl/policy.d
printf '%s\n' '[Match]' 'Name=System RAM' '[Online]' 'Mode=auto' 'Zone=movable' >/etc/memctl/policy.d/50-any.policy
for gib in 4 32; do
        rm -f /tmp/{kernel,rule,memctld,kernel-alone,memctld-alone}
        for turn in 1 2 3 4 5; do
                for way in $ways; do
                        expect 0 "$gib GiB, turn $turn: online by $way" run $way $((gib << 30))
                done
        done
        for way in $ways; do
                echo "# $gib GiB: $way $(median $way) ms, $(ratio $way kernel) of the kernel's own, $(ratio $way rule) of a udev rule's"
        done
        expect 0 "$gib GiB: memctld without udevd takes at most 1.5 times as long as the kernel" is_at_most memctld-alone kernel 1.5
        expect 0 "$gib GiB: memctld is faster than a udev rule" is_faster memctld rule
done

exit $failed
