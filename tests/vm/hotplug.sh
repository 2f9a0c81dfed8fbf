# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# For scripts that play with memory in a guest; hotplug-driver.c has to be loaded.

memory=/sys/devices/system/memory
block=$((0x$(cat $memory/block_size_bytes)))
MiB=$((1 << 20))
GiB=$((1 << 30))

fail() {
	echo "failed: $*"
	exit 1
}

# The kernel drops the flag where it does without the fifth level.
[ -z "${la57-}" ] || grep -qw la57 /proc/cpuinfo || fail "the kernel's page tables have no fifth level"

# driver COMMAND START SIZE [FLAG]: sets $result, 0 or the errno's name
driver() {
	echo "$*" 2>/dev/null >/proc/hotplug-driver
	read -r result </proc/hotplug-driver
	# shellcheck disable=SC2183  # numbers for people: hexadecimal, and MiB
	echo "driver: $1 $(printf 0x%x "$2") $(($3 / MiB)) MiB ${4-}: $result"
}

# expect RESULT COMMAND START SIZE [FLAG]
expect() {
	expected=$1
	shift
	driver "$@"
	[ "$result" = "$expected" ] || fail "$1 should have said $expected"
}

# blocks START SIZE: their sysfs folders
blocks() {
	number=$(($1 / block))
	while [ $((number * block)) -lt $(($1 + $2)) ]; do
		echo "$memory/memory$number"
		number=$((number + 1))
	done
}

# set_state STATE START SIZE
set_state() {
	for folder in $(blocks "$2" "$3"); do
		echo "$1" >"$folder/state" || fail "$folder cannot be set $1"
	done
}

# expect_state STATE START SIZE, where STATE may be "absent"
expect_state() {
	for folder in $(blocks "$2" "$3"); do
		state=absent
		[ ! -e "$folder" ] || read -r state <"$folder/state"
		[ "$state" = "$1" ] || fail "$folder is $state and should be $1"
	done
}

# add_online START SIZE [FLAG]
add_online() {
	expect 0 add "$@"
	set_state online_movable "$1" "$2"
}

# make_dax_device: dax0.0 of the whole NVDIMM, with the driver device_dax. What ndctl would do, which no guest has.
make_dax_device() {
	nd=/sys/bus/nd/devices
	[ -e $nd/region0 ] || fail "there is no NVDIMM"
	dax=$(cat $nd/region0/dax_seed)
	echo namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind 2>/dev/null
	echo $((2 * MiB)) >"$nd/$dax/align"
	echo pmem >"$nd/$dax/mode" 2>/dev/null
	cat /proc/sys/kernel/random/uuid >"$nd/$dax/uuid"
	echo namespace0.0 >"$nd/$dax/namespace" || fail "the namespace is not to be had"
	echo "$dax" >/sys/bus/nd/drivers/dax_pmem/bind || fail "no dax device"
	until [ -e /sys/bus/dax/drivers/device_dax/dax0.0 ]; do :; done
}
