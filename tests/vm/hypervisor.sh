# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# For scripts in a guest that give orders to its hypervisor; see the program beside this
# file. Each returns when the order was carried out, and ends the script if it could not be.

qmp() { order "qmp: $*"; }
await() { order "await: $*"; }
never() { order "never: $*"; }

order() {
	if [ -z "$hypervisor_port" ]; then
		for port in /sys/class/virtio-ports/*; do
			[ "$(cat "$port/name")" != hypervisor ] || hypervisor_port=/dev/${port##*/}
		done
		exec 9<"$hypervisor_port"
	fi
	echo "$1"
	# A port that nobody has connected to yet reads as empty.
	until read -r answer <&9; do :; done
	[ "$answer" = done ] || exit 1
}
hypervisor_port=
