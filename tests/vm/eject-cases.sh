#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest with the patched kernel: an ACPI memory device whose removal has to be
# refused is not ejected, by whomever that is asked, and can be when the reason is gone.
. /hotplug.sh
. /hypervisor.sh

devices=/sys/bus/memory_range/devices
eject=/sys/bus/acpi/devices/PNP0C80:00/eject

# expect_there STATE: the memory is, and is the device's
expect_there() {
	never DEVICE_DELETED
	expect_state "$1" "$start" "$size"
	expect 0 read "$start" "$size"
	[ -e "$memory/memory$((start / block))/firmware_node" ] || fail "its blocks lost their device"
}

# Half of what one leaf could map: no other memory can come into the other half.
qmp object-add '{"qom-type":"memory-backend-ram","id":"backend","size":536870912}'
qmp device_add '{"driver":"pc-dimm","id":"dimm","memdev":"backend"}'
until [ -e $devices/range0 ]; do :; done
start=$(($(cat $devices/range0/start))) size=$(cat $devices/range0/size)
[ "$size" = $((GiB / 2)) ] || fail "the DIMM has $size bytes"
set_state online_movable $start "$size"
await ACPI_DEVICE_OST
dmesg -c >/dev/null

# In the words of QEMU's event: ACPI_OST_SC_DEVICE_BUSY is 0x82, as a source
# ACPI_OST_EC_OSPM_EJECT is 0x103 and ACPI_NOTIFY_EJECT_REQUEST 3.
busy=130, administrator='"source":259,' request='"source":3,'

case $case in
shared-leaf)
	# What is found before anything is taken offline.
	echo "join $start" >/proc/leaf-joiner || fail "the page tables cannot be changed"
	unit=$(cat $devices/range0/removal_granularity)
	[ "$unit" = unknown ] || fail "the leaf is shared, and removal_granularity is $unit"

	echo 1 >$eject
	await ACPI_DEVICE_OST "$busy" "$administrator"
	expect_there online
	dmesg -c | grep -q "removing memory fails, because .*leaf of the linear map" || fail "the kernel did not say why"

	qmp device_del '{"id":"dimm"}'
	await ACPI_DEVICE_OST "$busy" "$request"
	expect_there online
	dmesg -c | grep -q "removing memory fails, because .*leaf of the linear map" || fail "the kernel did not say why"

	echo part >/proc/leaf-joiner
	unit=$(cat $devices/range0/removal_granularity)
	[ "$unit" = $block ] || fail "the leaf is not shared any more, and removal_granularity is $unit"
	;;
late-failure)
	# What goes wrong when all is offline already: as if memory had run out.
	echo "mhp_check_removal 12 2" >/proc/fail-return || fail "the kernel cannot be probed"
	echo 1 >$eject
	await ACPI_DEVICE_OST "$busy" "$administrator"
	expect_there offline
	[ -e $devices/range0 ] || fail "the range is gone"
	set_state online_movable $start "$size"
	;;
*)
	fail "no such case: '$case'"
	;;
esac

echo 1 >$eject
await DEVICE_DELETED dimm
until [ ! -e $devices/range0 ]; do :; done
expect_state absent $start "$size"
