#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl policy and version, with memctld and without.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

mkdir -p /etc/memctl/policy.d
cat >/etc/memctl/policy.d/50-dimms.policy <<'POLICY'
[Match]
Driver=acpi
MinimumSize=1G
[Online]
Mode=manual
[Offline]
KeepAvailable=10%
TimeoutSec=90
[Remove]
Allow=no
POLICY

# Before memctld has read them only the files tell.
memctl policy
expect_status 0
expect_out 'NAME    MODE   ZONE    PARTIAL KEEP REMOVE MATCH RANGES
default manual movable allow     5% yes          range0 range1 range2'
memctl policy list --sysroot / -nr -o NAME,RANGES
expect_out '50-dimms range1
default range0\x20range2'

memctl policy reload
expect_status 0
expect_no_err
expect_out ''
memctl policy list
expect_status 0
expect_out 'NAME     MODE   ZONE    PARTIAL KEEP REMOVE MATCH                      RANGES
50-dimms manual movable allow    10% no     Driver=acpi MinimumSize=1G range1
default  manual movable allow     5% yes                               range0 range2'
memctl policy list -J
expect_status 0
expect_schema policy
expect_json '[(p["name"], p["timeout"], p["file"]) for p in d["policies"]]' \
        "[('50-dimms', '90', '/etc/memctl/policy.d/50-dimms.policy'), ('default', '60', None)]"
memctl show range0
expect_out_has '  Policy:    the default (no file fits: built-in default)
'
memctl show range1
expect_out_has '  Policy:    50-dimms, /etc/memctl/policy.d/50-dimms.policy (the first file in name order whose [Match] fits)
'
memctl list --ranges -nr -o NAME,POLICY
expect_out 'range0 default
range1 50-dimms
range2 default'

# What show prints is a policy file that says the same.
memctl policy show 50-dimms
expect_status 0
expect_out '# 50-dimms: /etc/memctl/policy.d/50-dimms.policy
# in force for: range1
[Match]
Driver=acpi
MinimumSize=1G
[Online]
Mode=manual
Zone=movable
[Offline]
Partial=allow
KeepAvailable=10%
TimeoutSec=90
[Remove]
Allow=no'
shown=$out
cp "$scratch/out" "$scratch/copy.policy"
printf '[Match]\nMinimumSize=1.5M\n[Offline]\nKeepAvailable=1.0009765625K\n' >/etc/memctl/policy.d/10-odd.policy
memctl policy show 10-odd --sysroot /
expect_out_has 'MinimumSize=1536K'
expect_out_has 'KeepAvailable=1.0009765625K'
rm /etc/memctl/policy.d/10-odd.policy
memctl policy check "$scratch/copy.policy"
expect_status 0
expect_out '1 file, none broken'
mv "$scratch/copy.policy" /etc/memctl/policy.d/50-dimms.policy
memctl policy reload
memctl policy show 50-dimms
expect_out "$shown"
memctl policy show
expect_out_has '# default: what holds where no file fits'
expect_out_has '# in force for: range0 range2'
memctl policy show 50-dimm
expect_status 4
expect_err 'memctl: refused: there is no policy "50-dimm", did you mean "50-dimms"?
  what is there:      memctl policy list'

# A broken file is named with its line, and is not in force.
printf '[Online]\nMode=sometimes\n' >/etc/memctl/policy.d/60-broken.policy
memctl policy check
expect_status 1
expect_err_has 'memctl: /etc/memctl/policy.d/60-broken.policy:2: '
memctl policy check /etc/memctl/policy.d/60-broken.policy
expect_status 1
expect_err_has '60-broken.policy:2: '
memctl policy reload
expect_status 0
expect_err_has '/etc/memctl/policy.d/60-broken.policy:2: '
memctl policy list -J
expect_schema policy
expect_json '[(p["file"], p["line"]) for p in d["problems"]]' "[('/etc/memctl/policy.d/60-broken.policy', 2)]"
memctl policy list -nr -o NAME
expect_out '50-dimms
default'
memctl policy check "$scratch/nowhere"
expect_status 1
expect_err_has "cannot read $scratch/nowhere: No such file or directory"
rm /etc/memctl/policy.d/60-broken.policy
memctl policy check
expect_status 0

# Reloading is for the administrator.
run setpriv --reuid=65534 --clear-groups "$MEMCTL" policy reload
expect_status 5
expect_err_has 'not authorised'
run setpriv --reuid=65534 --clear-groups "$MEMCTL" policy list
expect_status 0

# What makes no sense.
memctl policy shw
expect_status 2
expect_err_has 'did you mean "policy show"?'
memctl policy list 50-dimms
expect_status 2
memctl policy check -J
expect_status 2
memctl policy reload -s /
expect_status 2
memctl policy check -M .host
expect_status 2

memctl version
expect_status 0
expect_out "$("$MEMCTL" --version)
memctld ${version:=$("$MEMCTL" --version | cut -d ' ' -f 2)}
kernel guard: removal"
memctl version -J
expect_schema version
expect_json 'd["memctl"], d["memctld"], d["kernel_guard"]' "('$version', '$version', 'removal')"

# Without memctld.
kill -KILL "$MEMCTLD_PID"
memctl version
expect_status 0
expect_out "memctl $version"
expect_err_has 'memctld cannot be reached'
memctl version -J
expect_schema version
expect_json 'd["memctld"]' None
memctl policy reload
expect_status 6
memctl policy list -nr -o NAME
expect_status 0
expect_out '50-dimms
default'
