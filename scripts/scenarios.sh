#!/usr/bin/env bash
# Submits the goals of a corpus to a stack and compares each outcome with the expected one: scenarios.sh [FILE_OR_FOLDER], by default
# tests/scenarios. Fails if fewer than 92 % are as expected or more than 1 % complete without the requested result.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [ $# -gt 0 ]; then
    SCENARIOS="$(realpath "$1")"
    export SCENARIOS
fi
cd "$root"

prepare_stack
cargo build --quiet --workspace --bins
cargo test --quiet --workspace --test it goals::scenarios -- --nocapture
