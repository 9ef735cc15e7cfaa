#!/usr/bin/env bash
# Builds and runs the whole stack on this machine with the demo users: run.sh [OPTIONS OF promptcraft up]
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

scripts/setup.sh
# While the compiler runs.
scripts/setup.sh embeddings &
cargo build --release -p api -p worker -p approver -p cli
sandbox/build-root.sh "$data/sandbox"
# Roots that are not built by default, where the settings name them.
IFS=, read -ra runtimes <<<"${PROMPTCRAFT__SANDBOX__RUNTIMES:-}"
[ "${#runtimes[@]}" = 0 ] || sandbox/build-root.sh "$data/sandbox" "${runtimes[@]// /}"
wait
exec "${CARGO_TARGET_DIR:-target}/release/promptcraft" up --data "$data" --demo --then scripts/samples.sh "$@"
