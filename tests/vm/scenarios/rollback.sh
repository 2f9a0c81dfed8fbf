#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c --module notifier-error-inject --module memory-notifier-error-inject
# suite: drivers
# timeout: 600
#
# All of a leaf or nothing, for real: of the eight blocks of a unit the fifth, memory52, does not go. A driver vetoes it,
# a program holds a page of it, the kernel uses one; every block comes back in its zone.

. "$(dirname "$0")/expect.sh"

expect 0 'the driver adds 1 GiB' driver add 0x180000000 0x40000000
expect 0 'memctld sees the range' await busctl get-property org.memctl1 /org/memctl1/range/range0 org.memctl1.Range Start
expect 0 'online' memctl online range0

inject=/sys/kernel/debug/notifier-error-inject/memory/actions/MEM_GOING_OFFLINE/error
blocks=/sys/devices/system/memory
zones() { cat $blocks/memory4[89]/valid_zones $blocks/memory5[0-5]/valid_zones | xargs; }
movable='Movable Movable Movable Movable Movable Movable Movable Movable'

# pin BLOCK: a program that holds a page of it in a pipe, so that the kernel moves it in vain, again and again
cat >/run/pin.pl <<'END'
use strict;
use warnings;
my ($block, $vmsplice) = @ARGV;
my ($page, $size) = (4096, 16 << 20);
my $per_block = (128 << 20) / $page;
my @buffers;
$| = 1;
open my $pagemap, '<:raw', '/proc/self/pagemap' or die $!;
pipe my $reader, my $writer or die $!;
while (@buffers < 256) {
        push @buffers, undef;
        $buffers[-1] = 'x' x $size;
        my $first = int((unpack('J', pack 'p', $buffers[-1]) + $page - 1) / $page);
        sysseek $pagemap, 8 * $first, 0 or die $!;
        sysread $pagemap, my $entries, 8 * ($size / $page - 1) or die $!;
        my @frames = map { $_ & (1 << 55) - 1 } unpack 'Q*', $entries;
        my ($at) = grep { int($frames[$_] / $per_block) == $block } 0 .. $#frames;
        next unless defined $at;
        my $vector = pack 'JJ', ($first + $at) * $page, $page;
        syscall($vmsplice, fileno $writer, $vector, 1, 0) == $page or die $!;
        splice @buffers, 0, $#buffers;
        print "pinned\n";
        sleep;
}
die 'no page is in that block';
END
vmsplice=75
[[ $(uname -m) == aarch64 ]] || vmsplice=278
pin() {
        perl /run/pin.pl "$1" $vmsplice >/run/pinned &
        pin=$!
        expect 0 "a page of memory$1 is in a pipe" await grep -q pinned /run/pinned
}
unpin() {
        kill $pin
        wait $pin
}

# How often a page could not be moved.
n_failures() { sed -n 's/^pgmigrate_fail //p' /proc/vmstat; }
fails_more_than() { (($(n_failures) > $1)); }

# While the fourth block waits it is made sure that the fifth will fail. When its pages do not move drivers have been
# asked about the fourth.
fail_the_fifth() {
        memctl offline range0 &
        await grep -qx going-offline $blocks/memory51/state && await fails_more_than "$(n_failures)" || return 99
        echo -5 >$inject
        kill $pin
        wait $!
}
pin 51
expect 1 'a driver vetoes memory52 with EIO' fail_the_fifth
expect_line 'memctl says which and why' 'memory52.*(EIO|Input/output error)'
echo 0 >$inject
expect_states 'all blocks are back' 48-55 online
expect 0 'their zones' zones
expect_output 'are what they were' "$movable"

pin 52
expect 124 'what never ends is ended' memctl offline --timeout 10s range0
expect_states 'all blocks are back' 48-55 online
expect 0 'their zones' zones
expect_output 'are what they were' "$movable"
unpin
expect 0 'the pipe is closed: all of it goes' memctl offline range0

for block in 48 49 50 51 53 54 55; do
        echo online_movable >$blocks/memory$block/state
done
echo online_kernel >$blocks/memory52/state
expect 0 'the kernel uses a page of memory52' driver take 0x1a0000000 0x8000000
expect 1 'which cannot go' memctl offline range0
expect_line 'memctl says which and why' 'memory52.*(EBUSY|[Bb]usy)'
expect_states 'all blocks are back' 48-55 online
expect 0 'their zones' zones
expect_output 'are what they were' "${movable/Movable Movable Movable Movable Movable/Movable Movable Movable Movable Normal}"
expect 0 'the kernel is done with it' driver put 0x1a0000000 0x8000000

exit $failed
