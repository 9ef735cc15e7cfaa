#!/usr/bin/env bash
# Builds the processes and the operator's tool with failpoints into <target>/debug/instrumented, where tests look for them,
# and then the plain ones.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
debug="${CARGO_TARGET_DIR:-$root/target}/debug"

cargo build --quiet --workspace --bins --features api/failpoints,worker/failpoints,approver/failpoints,cli/failpoints
mkdir -p "$debug/instrumented"
for program in api worker approver promptcraft; do
    # Renamed into place: a running program cannot be overwritten.
    cp "$debug/$program" "$debug/instrumented/$program.new"
    mv -f "$debug/instrumented/$program.new" "$debug/instrumented/$program"
done
cargo build --quiet --workspace --bins
