#!/usr/bin/env bash
# Builds api, worker and approver with failpoints into <target>/debug/instrumented, where tests/faults looks for them, and leaves the
# plain ones in their place.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
debug="${CARGO_TARGET_DIR:-$root/target}/debug"

cargo build --quiet --workspace --bins --features api/failpoints,worker/failpoints,approver/failpoints
mkdir -p "$debug/instrumented"
for program in api worker approver; do
    # Aside first: a program that runs cannot be written to.
    cp "$debug/$program" "$debug/instrumented/$program.new"
    mv -f "$debug/instrumented/$program.new" "$debug/instrumented/$program"
done
cargo build --quiet --workspace --bins
