#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tour in docs/ shows what memctl does today.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

run "$here/tour"
expect_status 0
diff -u "$here/../../docs/tour.md" "$scratch/out" >&2 ||
        fail 'docs/tour.md is stale: tests/integration/tour says how to make it anew; look at what has changed'
