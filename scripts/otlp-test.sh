#!/usr/bin/env bash
# Builds the programs with their feature `otlp` and tests the traces that they export.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

prepare_stack
cargo clippy --quiet -p service --lib --features otlp -- -D warnings
cargo build --quiet --workspace --bins --features api/otlp,worker/otlp,approver/otlp
cargo test --quiet -p service -p tests --lib --test it --features service/otlp,tests/otlp otlp
