#!/usr/bin/env bash
# Measures the quality gates: gates.sh [GATE...] [OPTIONS OF gates]. Fails if one fails or could not measure. The report is
# reports/quality-gates.json, logs of the harnesses are in reports/gates. SETUP=1, as root: also installs and starts Docker.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

target="${CARGO_TARGET_DIR:-$root/target}"
docker_pid="$target/dockerd.pid"

# A failed preparation leaves no report of an earlier run.
rm -f reports/quality-gates.json
prepare_stack
mkdir -p "$target"
if [ "${CI:-}" = true ] || [ "${SETUP:-}" = 1 ]; then
    trap 'stop_docker "$docker_pid"' EXIT
    scripts/start-docker.sh "$docker_pid" || say "Going on without Docker"
fi
cargo build --release -p api -p worker -p approver -p cli -p gates
"$target/release/gates" "$@"
