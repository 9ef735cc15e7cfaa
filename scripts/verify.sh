#!/usr/bin/env bash
# Runs the suites that are too slow for every change, each to its end, and prints which failed and how long each took.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
report=()
status=0

suite() { # name command...
    local began="$SECONDS" outcome=passed
    say "== $1"
    "${@:2}" || { outcome=FAILED; status=1; }
    report+=("$(printf '%-12s %s after %d s' "$1" "$outcome" $((SECONDS - began)))")
}

suite compose scripts/compose-test.sh
suite scenarios scripts/scenarios.sh
suite faults scripts/faults.sh matrix
suite fuzz sandbox/fuzz/run.sh
suite coverage scripts/coverage.sh
printf '%s\n' "" "${report[@]}"
exit "$status"
