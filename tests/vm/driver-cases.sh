#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest with the patched kernel: the drivers of the kernel add memory and take
# it away as they do without the guard, and their ranges say what they are. One $case a boot.
. /hotplug.sh
. /hypervisor.sh

devices=/sys/bus/memory_range/devices

n_ranges() { ls $devices | wc -l; }

# is_resource START SIZE NAME: whether /proc/iomem has such a resource that holds it
is_resource() {
	while read -r area _ name; do
		[ "$name" = "$3" ] && [ $((0x${area%-*})) -le "$1" ] && [ $((0x${area#*-})) -ge $(($1 + $2 - 1)) ] && return
	done </proc/iomem
	return 1
}

# expect_ranges NAME NODE: all of them are where the kernel put memory of that name, and in that node
expect_ranges() {
	for range in "$devices"/*; do
		at=$(($(cat "$range/start"))) size=$(cat "$range/size")
		[ "$(cat "$range/name")" = "$1" ] || fail "${range##*/} is called $(cat "$range/name"), not $1"
		is_resource $at "$size" "$1" || fail "${range##*/}, $size bytes at $at, is not in /proc/iomem as $1"
		[ "$(cat "$range/node")" = "$2" ] || fail "${range##*/} is in node $(cat "$range/node"), not $2"
		for folder in $(blocks $at "$size"); do
			[ -e "$folder/node$2" ] || fail "$folder is not in node $2"
		done
	done
}

# set_all STATE: of the memory of all ranges
set_all() {
	for range in "$devices"/*; do
		set_state "$1" $(($(cat "$range/start"))) "$(cat "$range/size")"
	done
}

# Onlining is these cases' own business unless they say otherwise.
echo offline >$memory/auto_online_blocks

case $case in
acpi)
	# A whole DIMM, with leaves of 1 GiB or its memmap on itself: that no part of it could go must not keep it.
	qmp object-add '{"qom-type":"memory-backend-ram","id":"backend","size":2147483648}'
	qmp device_add '{"driver":"pc-dimm","id":"dimm","memdev":"backend","node":'"$node}"
	until [ -e $devices/range0 ]; do :; done
	expect_ranges "System RAM" "$node"
	read -r unit <$devices/range0/removal_granularity
	[ "$unit" = "$wanted_unit" ] || fail "its removal granularity is $unit and should be $wanted_unit"
	set_all online_movable
	await ACPI_DEVICE_OST
	start=$(($(cat $devices/range0/start)))
	if [ "$asks" = hypervisor ]; then
		qmp device_del '{"id":"dimm"}'
	else
		echo 1 >/sys/bus/acpi/devices/PNP0C80:00/eject
	fi
	await DEVICE_DELETED dimm
	until [ "$(n_ranges)" = 0 ]; do :; done
	expect_state absent $start $((2 * GiB))
	;;
boot-dimm)
	# It was there before the kernel, which found it in ACPI's tables or was told of it at boot.
	start=$((4 * GiB))
	[ "$(n_ranges)" = "$n_ranges" ] || fail "there are $(n_ranges) ranges"
	if [ "$n_ranges" = 1 ]; then
		expect_ranges "System RAM" 1
		[ "$(cat $devices/*/size)" = $GiB ] && [ $(($(cat $devices/*/start))) = $start ] || fail "its range is not the DIMM"
		set_all online_movable
	fi
	expect_state online $start $GiB
	echo 1 >/sys/bus/acpi/devices/PNP0C80:00/eject
	await DEVICE_DELETED dimm
	until [ "$(n_ranges)" = 0 ]; do :; done
	expect_state absent $start $GiB
	;;
virtio-mem)
	# By the block: it asks for the offlining itself, and for one block at a time.
	echo online_movable >$memory/auto_online_blocks
	for blocks in 1 2 4 8 6 3 0; do
		qmp qom-set "{\"path\":\"/machine/peripheral/vmem\",\"property\":\"requested-size\",\"value\":$((blocks * block))}"
		await MEMORY_DEVICE_SIZE_CHANGE "\"size\":$((blocks * block)),"
		until [ "$(n_ranges)" = $blocks ]; do :; done
		[ $blocks = 0 ] || expect_ranges "System RAM (virtio_mem)" 0
	done
	;;
virtio-mem-large)
	# In device blocks of 256 MiB, each of several memory blocks.
	echo online_movable >$memory/auto_online_blocks
	for blocks in 1 3 0; do
		qmp qom-set "{\"path\":\"/machine/peripheral/vmem\",\"property\":\"requested-size\",\"value\":$((blocks * 2 * block))}"
		await MEMORY_DEVICE_SIZE_CHANGE "\"size\":$((blocks * 2 * block)),"
		until [ "$(n_ranges)" = $blocks ]; do :; done
		[ $blocks = 0 ] || expect_ranges "System RAM (virtio_mem)" 0
		[ $blocks = 0 ] || [ "$(cat $devices/*/size | sort -u)" = $((2 * block)) ] || fail "ranges of $(cat $devices/*/size | xargs) bytes"
	done
	;;
dax)
	# A pmem region becomes a dax device, that becomes system RAM, and back again, twice.
	make_dax_device
	drivers=/sys/bus/dax/drivers
	for _ in 1 2; do
		until [ -e $drivers/device_dax/dax0.0 ]; do :; done
		[ "$(n_ranges)" = 0 ] || fail "a dax device is a range"
		echo dax0.0 >$drivers/device_dax/unbind
		echo dax0.0 >$drivers/kmem/new_id
		[ -e $drivers/kmem/dax0.0 ] || echo dax0.0 >$drivers/kmem/bind || fail "kmem does not take it"
		[ "$(n_ranges)" = 1 ] || fail "there are $(n_ranges) ranges"
		expect_ranges "System RAM (kmem)" 0
		set_all online_movable
		set_all offline
		echo dax0.0 >$drivers/kmem/unbind
		[ "$(n_ranges)" = 0 ] || fail "the range is still there: $(dmesg | tail -1)"
		echo dax0.0 >$drivers/kmem/remove_id
		echo dax0.0 >$drivers/device_dax/bind
	done
	;;
*)
	fail "no such case: '$case'"
	;;
esac
