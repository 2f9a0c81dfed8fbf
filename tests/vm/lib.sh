# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Shared by the commands of this folder; to be sourced by bash.

# shellcheck disable=SC2034  # read by those who source this
vm_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034
top_dir=$(cd -- "$vm_dir/../.." && pwd)
cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/memctl

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 2; }

# need_command COMMAND PACKAGE: what a user without ./check has to install.
need_command() {
	command -v "$1" >/dev/null || die "$1 is missing; try: apt-get install $2"
}

check_arch() {
	case $1 in
	arm64 | x86_64) ;;
	*) die "unknown architecture '$1'; choose arm64 or x86_64" ;;
	esac
}

check_kernel() {
	case $1 in
	stock | patched) ;;
	*) die "unknown kernel '$1'; choose stock or patched" ;;
	esac
}

check_base() {
	case $1 in
	v6.12 | v6.1 | v7.1-check) ;;
	*) die "unknown base '$1'; choose v6.12, v6.1 or v7.1-check" ;;
	esac
}

check_pages() {
	case $1 in
	4K | 16K | 64K) ;;
	*) die "unknown page size '$1'; choose 4K, 16K or 64K" ;;
	esac
}

# What a guest of x86_64 needs besides for page tables of five levels; hotplug.sh sees that it has them.
# shellcheck disable=SC2034  # for those who source this file
la57_options=(--qemu-arg -cpu --qemu-arg "qemu64,+pdpe1gb,+la57" --env la57=1)

check_root() {
	case $1 in
	initramfs | debian) ;;
	*) die "unknown root '$1'; choose initramfs or debian" ;;
	esac
}

# gnu_arch ARCH: the name in compilers' and uname's words.
gnu_arch() { [[ $1 == arm64 ]] && echo aarch64 || echo x86_64; }
# debian_arch ARCH: the name in dpkg's words.
debian_arch() { [[ $1 == arm64 ]] && echo arm64 || echo amd64; }

# cross_prefix ARCH: of the compiler's name, empty for the machine's own.
cross_prefix() {
	[[ $(uname -m) == "$(gnu_arch "$1")" ]] || echo "$(gnu_arch "$1")-linux-gnu-"
}

# content_key: a short name for what comes in on stdin.
content_key() { sha256sum | cut -c1-16; }

# lock NAME: one builder of a thing at a time; held until the process ends.
lock() {
	local fd
	mkdir -p "$cache_dir/lock"
	exec {fd}>"$cache_dir/lock/$1"
	if ! flock --nonblock "$fd"; then
		say "waiting for another build of $1"
		flock "$fd"
	fi
}

# seconds_since EPOCHREALTIME
seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# complaints_of LOG: of compiler and sparse, without line numbers, so that a patch that only moves lines adds none
complaints_of() { grep -hE 'warning:|error:' "$1" | sed -E 's,^(\.\./)+,,; s,:[0-9]+(:[0-9]+)?:,:,' | sort -u || true; }

# apply_to SOURCE PATCH...
apply_to() { git -C "$1" -c user.name=memctl -c user.email=memctl@localhost am -q "${@:2}"; }
