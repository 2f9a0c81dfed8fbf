# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the suites are written with; they run in the top folder.

# report NAME COMMAND...: one test; what the command printed is shown if it failed
report() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok - $name"
	else
		echo "not ok - $name"
		printf '%s\n' "$output" | tail -n 60 | sed 's/^/#   /'
		return 1
	fi
}

# configure DIRECTORY ARGUMENT...: a meson build tree, made once
configure() {
	local directory=$1
	shift
	[[ -f $directory/build.ninja ]] || meson setup "$directory" "$@"
}

# build DIRECTORY ARGUMENT...
build() {
	configure "$@" && ninja -C "$1"
}

# meson_suite DIRECTORY SUITE [N]: each of its tests is a line; N at once, else one a processor
meson_suite() {
	rm -f "$1/meson-logs/testlog.json"
	meson test -C "$1" --suite "$2" --num-processes "${3:-$(nproc)}" --no-rebuild >/dev/null 2>&1 || true
	/usr/bin/python3 - "$1/meson-logs/testlog.json" <<-'END'
		import json, os, sys

		path = sys.argv[1]
		tests = [json.loads(line) for line in open(path)] if os.path.exists(path) else []
		if not tests:
		    print("not ok - there is no test in this suite")
		for test in tests:
		    name = test["name"]
		    if test["result"] == "SKIP":
		        print(f"skip - {name}: {(test.get('stdout') or 'no reason given').strip().splitlines()[-1]}")
		    elif test["result"] in ("OK", "EXPECTEDFAIL"):
		        print(f"ok - {name}")
		    else:
		        print(f"not ok - {name}: {test['result']}")
		        output = (test.get("stdout") or "") + (test.get("stderr") or "")
		        for line in output.splitlines()[-60:]:
		            print(f"#   {line}")
	END
}

# side_by_side COMMAND...: command lines for a shell, two at a time, as many tests keep one processor busy at most.
# What each prints comes in one piece when it ends; one that fails and does not say what failed is itself reported.
side_by_side() {
	local printing
	printing=$(mktemp)
	# shellcheck disable=SC2016 # for the shell that is started
	printf '%s\0' "$@" | xargs -0 -n 1 -P 2 bash -c '
		status=0 output=$(eval "$1" 2>&1) || status=$?
		exec 9>"$0" && flock 9
		[[ -z $output ]] || printf "%s\n" "$output"
		((status == 0)) || grep -q "^not ok - " <<<"$output" || echo "not ok - $1: it ended with status $status"
	' "$printing"
	rm -f "$printing"
}
