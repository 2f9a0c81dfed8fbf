#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl plan and show: refusals with their reasons and ways out, on saved machines.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

patched=$(machine patched 0-23 32-39 40-47:zone=Movable 48-55:state=offline --range 0:40-55,granularity=1G)
stock=$(machine stock 0-23 32-39 40-47:zone=Movable 48-55:state=offline)

split='memctl: refused: memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0
  whole mapping:      memctl offline memory40-47
  this part only:     memctl offline --partial memory44   (stays mapped; can be removed only with memory40-47 all offline)'

# The refusal this project is for.
memctl plan offline memory44 -s "$patched"
expect_status 3
expect_out ''
expect_err "$split"

# Its ways out are accepted.
memctl plan offline memory40-47 -s "$patched"
expect_status 0
expect_no_err
expect_out 'offline: 1 GiB would change, in this order:
  memory40-47             1 GiB  goes offline
Nothing was changed.'
memctl plan offline --partial memory44 -s "$patched"
expect_status 0
expect_out_has 'memory44              128 MiB  goes offline'
expect_out_has 'side effect: memory44 stays mapped'

# An estimate says that it is one.
memctl plan offline memory44 -s "$stock"
expect_status 3
expect_err_has 'is part of a 1 GiB kernel mapping (estimated), memory40-47 of est'

# Every suggestion in JSON is a request that is not refused for the same reason.
suggestions() {
        json '"\n".join(s for r in d["refusals"] for s in r["suggestions"])'
}
for request in 'offline memory44' 'offline 41-45 50' 'offline 300M' 'offline all' 'online 40 48 --zone kernel'; do
        # shellcheck disable=SC2086
        memctl plan $request -s "$patched" --json
        expect_schema plan
        while read -r program words; do
                [ -z "$program" ] && continue
                [ "$program" = memctl ] || fail "a suggestion begins with memctl: $program"
                # shellcheck disable=SC2086
                memctl plan $words -s "$patched"
                [ "$status" -ne 2 ] && [ "$status" -ne 3 ] || fail "the suggestion is to be accepted: $words"
        done < <(suggestions)
done
memctl plan offline memory44 -s "$patched" -J
expect_status 3
expect_json 'd["exit_status"], d["steps"], [r["reason"] for r in d["refusals"]]' "(3, [], ['splits-mapping'])"
expect_json 'd["refusals"][0]["suggestions"]' "['memctl offline memory40-47', 'memctl offline --partial memory44']"

# Other reasons exit with 4, and so does a mixture.
memctl plan offline 44 77 -s "$patched"
expect_status 4
expect_err_has "$split"
expect_err_has 'memctl: refused: memory77 (128 MiB) is not there'
memctl plan offline 24-26 -s "$patched"
expect_status 4
expect_err_has 'memory24-26 (384 MiB) is a hole'
memctl plan offline range9 -s "$patched"
expect_status 4
memctl plan remove 0-3 -s "$patched"
expect_status 4
expect_err_has 'is boot memory, which cannot be removed'

# --best-effort leaves out what cannot be done.
memctl plan offline --best-effort 40-47 77 -s "$patched" --json
expect_status 64
expect_schema plan
expect_json '[s["blocks"] for s in d["steps"]], [r["reason"] for r in d["refusals"]]' \
        "(['memory40-47'], ['no-such-block'])"

# What is so already is success, and there is nothing to do.
memctl plan offline 48-55 -s "$patched"
expect_status 0
expect_out 'offline: nothing to do'
memctl plan offline =1G range0 -s "$patched"
expect_status 0
expect_out 'offline: nothing to do'
memctl plan offline 1G range0 -s "$patched"
expect_status 0
expect_out_has 'memory40-47'

# Online: the zone.
memctl plan online 48-49 -s "$patched"
expect_status 0
expect_out_has 'comes online in zone Movable'
memctl plan online 48-49 --zone=kernel -s "$patched"
expect_out_has 'comes online in a kernel zone'

# Bad requests are no refusals.
memctl plan offline 0x140000010+128M -s "$patched"
expect_status 2
expect_err_has '0x140000010+128M'
memctl plan offline --partial 1G -s "$patched"
expect_status 2
memctl plan remove 1G -s "$patched"
expect_status 2
memctl plan offline --zone movable 40-47 -s "$patched"
expect_status 2

# show tells why.
memctl show 44 -s "$patched"
expect_status 0
expect_out 'memory44: 128 MiB at 0x160000000-0x167ffffff
  State:     online, zone Movable, node 0
  Kind:      hot-added
  Range:     range0: memory40-55, 2 GiB, "System RAM"
  Driver:    other
  Mapping:   1 GiB, removable in units of 1 GiB (kernel)
  Policy:    the default
  Unit:      memory40-47 (1 GiB, online)
  Offline:   no, splits-mapping: memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0
             whole mapping:      memctl offline memory40-47
             this part only:     memctl offline --partial memory44   (stays mapped; can be removed only with memory40-47 all offline)
  Remove:    no, not-removable: memory44 (128 MiB) of range0 cannot be removed: only the driver that added '"'System RAM'"' can do that, and there is no way to ask it
             offline only:       memctl offline memory40-47'
memctl show range0 0 -s "$patched" --json
expect_status 0
expect_schema show
expect_json '[(i["blocks"], i["offline"]["possible"], len(i["units"])) for i in d["items"]]' \
        "[('memory0', True, 0), ('memory40-47', True, 1), ('memory48-55', True, 1)]"
# Units that are alike are one line; what is too much for lines is counted.
memctl show range0 -s "$(machine alike 0-23 40-63:zone=Movable --range 0:40-63,granularity=1G)"
expect_out_has '
  Units:     memory40-63 (3 of 1 GiB, online)
'
memctl show 40-43 -s "$(machine small 40-51:state=offline --range 0:40-51,granularity=128M)"
expect_out_has '
  Units:     memory40-43 (4 of 128 MiB, offline)
'
# Who asks about a whole range learns what can be done to it, also where it is half offline; a part is still a part.
half=$(machine half 0-7 40-43:zone=Movable 44-47:state=offline 48-55:zone=Movable --range 0:40-55,granularity=1G)
memctl show range0 -s "$half"
expect_status 0
[ "$(grep -c '^  Offline:   can be done' <<<"$out")" -eq 2 ] || fail 'each part was to go with the rest of its unit'
expect_out_has '
  Offline:   can be done as memory40-47
'
[[ $out != *'as memory48-55'* ]] || fail 'that is the run itself'
memctl show 41-47 -s "$half"
expect_out_has 'Offline:   no, splits-mapping: memory41-43 (384 MiB) is part of'
memctl show range0 -s "$half" --json
expect_schema show
expect_json '[i["offline"]["possible"] for i in d["items"]]' '[True, True, True]'
memctl show 99 -s "$patched"
expect_status 4

# The other documents are as their schemas say, too.
for listing in --ranges --units --blocks --summary=only -oBLOCK,SIZE; do
        memctl list "$listing" -J -s "$patched"
        expect_status 0
        expect_schema list
done

# A plan reads; it writes nothing.
find "$patched" -type f -exec cat {} + | sha256sum >"$scratch/after"
machine again 0-23 32-39 40-47:zone=Movable 48-55:state=offline --range 0:40-55,granularity=1G >/dev/null
find "$scratch/again" -type f -exec cat {} + | sha256sum | cmp - "$scratch/after" || fail 'planning wrote'
