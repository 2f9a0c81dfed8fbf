#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl map: in a pipe, on terminals of several sizes, and while something changes.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

terminal() {
        TERM=xterm-256color run /usr/bin/python3 "$here/in-terminal" "$@"
}

# fits COLUMNS LINES: what was printed is no larger.
fits() {
        [ "$(wc -L <<<"$out")" -le "$1" ] || fail "$1 columns were the limit"
        [ "$(wc -l <<<"$out")" -le "$2" ] || fail "$2 lines were the limit"
}

default='  NAME   BLOCK                                        ONLINE    SIZE DEVICE
node 0                                                   30G     30G
  boot       8  ▒▒▒▒                                      4G      4G
  boot     256  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓                 24G     24G
  range0    40 ┃████████│████████┃                        2G      2G
node 1                                                   28G     34G
  boot    4096  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓                 24G     24G
  range1  4288 ┃████████│████████│████████│████████┃      4G      4G PNP0C80:00
  range2  8192 ┃░░░░░░░░│░░░░░░░░│░░░░░░░░│░░░░░░░░│      0B      6G dax0.0
          8224 │░░░░░░░░│░░░░░░░░┃

▒ online, DMA  ▓ online, Normal  █ online, Movable  ░ offline
│ edge of a removal unit  ┃ edge of a range
A cell is a memory block of 128 MiB; of boot memory 1 GiB.
Removal granularity: 1 GiB (kernel)'

# In a pipe: no escape sequence, no blank at the end of a line, nothing but what is there.
memctl map
expect_status 0
expect_no_err
[ "$out" = "$default" ] || expect_out "$default"
fits 80 24

# sysfs tells the same, and says nothing else.
memctl map --sysroot /
expect_out "$default"

# A selector chooses rows.
memctl map range2 node0
expect_status 0
expect_out_has 'range2'
expect_out_has 'boot     256'
[[ $out != *range1* ]] || fail 'range1 was not asked for'
memctl map 4G
expect_status 2
memctl map range9
expect_status 4

# States and zones, on the edge of a unit and inside it, in UTF-8 and where nothing but ASCII can be shown.
"$MEMCTL" offline --partial memory44 >/dev/null
"$MEMCTL" online --zone=kernel memory8192-8199 >/dev/null
memctl map range0 range2
expect_out_has '┃████░███│████████┃'
expect_out_has '┃▓▓▓▓▓▓▓▓│░░░░░░░░│'
LC_ALL=C memctl map
expect_out_has '|MMMM.MMM:MMMMMMMM|'
expect_out_has '|NNNNNNNN:........:'
expect_out_has 'D online, DMA  N online, Normal  M online, Movable  . offline'
expect_out_has ': edge of a removal unit  | edge of a range'
! grep -q '[^ -~]' <<<"$out" || fail 'only ASCII was expected'

# Terminals: colour, and all of it on the screen; the larger one has wider rows.
terminal -- "$MEMCTL" map
expect_status 0
expect_out_has $'\e[32m████'
NO_COLOR=1 terminal -- "$MEMCTL" map
[[ $out != *$'\e'* ]] || fail 'NO_COLOR was set'
for size in 80x24 200x50 60x20 40x10; do
        terminal --screen --size "$size" -- "$MEMCTL" map
        expect_status 0
        expect_out_has 'Removal granularity: 1 GiB'
        fits "${size%x*}" "${size#*x}"
done
terminal --screen --size 80x24 -- "$MEMCTL" map
expect_out_has 'NAME   BLOCK'
expect_out_has 'range2  8192 ┃▓▓▓▓▓▓▓▓│░░░░░░░░│░░░░░░░░│░░░░░░░░│'
terminal --screen --size 200x50 -- "$MEMCTL" map
expect_out_has '┃▓▓▓▓▓▓▓▓│░░░░░░░░│░░░░░░░░│░░░░░░░░│░░░░░░░░│░░░░░░░░┃'

# Read by someone who has had enough.
"$MEMCTL" map | head -n 1 >"$scratch/first" || fail 'a closed pipe is no error'

# --watch follows events: the screen shows a job's progress in place, its end, and what it left. The picture and the bar
# come from events of their own, so that it takes the bar to say that the half is done.
for size in 80x24 200x50; do
        "$MEMCTL" online 40-47 >/dev/null
        printf 'hang 5\n' >"$MEMSIM/control"
        terminal --screen --size "$size" --when '┃████████│████████┃' "!'$MEMCTL' offline 40-47" \
                --when '┃░░░░' '' --when ' 512M/1G  offline 40-47' '' \
                --when-file /sys/devices/system/memory/memory44/state going-offline "!printf 'release\n' >'$MEMSIM/control'" \
                --when '┃░░░░░░░░│████████┃' '\x03' -- "$MEMCTL" map --watch
        expect_status 0
        expect_out_has ' ██████████░░░░░░░░░░ 512M/1G  offline 40-47'
        grep -qE '┃░░░░░░░░│████████┃ +1G +2G$' <<<"$out" || fail 'the half was to be online'
        expect_out_has 'Ctrl-C ends'
        # The last picture stays behind, once.
        [[ ${out##*$'\f'} == *'┃░░░░░░░░│████████┃'* ]] || fail 'the last picture was to stay'
done
# Lines that are too long are cut, and the picture stays in place.
terminal --screen --size 30x12 --when 'Ctrl-C ends' '\x03' -- "$MEMCTL" map --watch range0
expect_status 0
[[ $out == '  NAME   BLOCK'* ]] || fail 'the heading was to be on the screen'

# In a pipe pictures follow each other, each with what has changed.
"$MEMCTL" map --watch range0 >"$scratch/watched" &
watch=$!
await "$scratch/watched" '┃░░░░░░░░│████████┃'
"$MEMCTL" online 40-47 >/dev/null
await "$scratch/watched" '┃████████│████████┃'
kill -TERM "$watch"
wait "$watch" || fail 'watching ends well when it is asked to'
! grep -q $'\e' "$scratch/watched" || fail 'a pipe is no terminal'

# memctld goes away: that is told.
"$MEMCTL" map --watch range0 >"$scratch/left" 2>"$scratch/err" &
watch=$!
await "$scratch/left" 'Removal granularity'
kill -KILL "$MEMCTLD_PID"
status=0
wait "$watch" || status=$?
out=$(<"$scratch/left") err=$(<"$scratch/err") command='map --watch, then memctld is killed'
expect_status 6
expect_err_has 'memctl: memctld went away'
memctl map --watch
expect_status 6
expect_err_has 'memctl: memctld cannot be reached'

# Machines that are large for the screen: several blocks a cell, and the legend says how many.
shape() {
        "$here/make-sysroot" "$scratch/$1" "${@:2}"
        memctl map --sysroot "$scratch/$1"
        expect_status 0
}
LINES=12 shape large 0-7 64-191:zone=Movable --range 0:64-191,granularity=1G
expect_out_has 'A cell is 256 MiB, 2 memory blocks; of boot memory 128 MiB.'
expect_out_has '████│████│████'
fits 80 11
LINES=10 memctl map --sysroot "$scratch/large"
expect_out_has 'A cell is 512 MiB, 4 memory blocks'
expect_out_has '██│██│██'
LINES=9 COLUMNS=60 memctl map --sysroot "$scratch/large"
expect_out_has 'A cell is 1 GiB, 8 memory blocks'
[[ $out != *│* ]] || fail 'a cell is a unit: there is nothing to part'

# A range for each block, as virtio-mem has them: one row, no edges. A hole parts rows; a unit of unknown size is the range.
shape virtio 0-7 32-35:zone=Movable 36-39:state=offline 48-51 \
        --range "0:32,granularity=128M,name=System RAM (virtio_mem)" --range "1:33,granularity=128M,name=System RAM (virtio_mem)" \
        --range "2:34,granularity=128M,name=System RAM (virtio_mem)" --range "3:35,granularity=128M,name=System RAM (virtio_mem)" \
        --range "4:36-39,granularity=unknown,name=System RAM (virtio_mem)" --range "9:48-51,granularity=unknown"
expect_out_has 'range0-4    32 ┃████┃░░░░┃'
expect_out_has 'range9      48 ┃▓▓▓▓┃'

# A cell of several blocks that differ says so; boot memory beside no range takes the room there is.
LINES=12 shape mixed 0-120 121-122:state=offline 123-130:zone=DMA 131-151:zone=Movable --bus
expect_out_has 'A cell is 128 MiB.'
LINES=9 memctl map --sysroot "$scratch/mixed"
expect_out_has 'A cell is 512 MiB.'
expect_out_has '▄ partly online'
expect_out_has '▚ online, several zones'

# No memory blocks at all.
rm -r "$scratch"/mixed/sys/devices/system/memory/memory*
memctl map --sysroot "$scratch/mixed"
expect_status 0
expect_out_has 'There are no memory blocks.'
