#!/usr/bin/env bash
# Injects faults into a cluster of real processes: faults.sh matrix | faults.sh seeds --hours H --first SEED --count N
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
target="${CARGO_TARGET_DIR:-$root/target}"
export SANDBOX_ROOTS="${SANDBOX_ROOTS:-$target/sandbox-roots}"

scripts/setup.sh
scripts/instrument.sh
sandbox/build-root.sh "$SANDBOX_ROOTS"
exec "$target/debug/faults" "$@"
