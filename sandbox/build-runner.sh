#!/bin/sh
# Builds the static promptcraft-runner and prints its path.
set -eu

cd "$(dirname "$0")/.."
target_dir="${CARGO_TARGET_DIR:-$PWD/target}"
cargo rustc --quiet -p runner --bin promptcraft-runner --profile runner -- \
    -C target-feature=+crt-static >&2
echo "$target_dir/runner/promptcraft-runner"
