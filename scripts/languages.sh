#!/usr/bin/env bash
# Tests the runtimes that are not built by default, from their roots to a whole stack: languages.sh [RUNTIME...]
#
# Needs root, because it builds their roots, which takes minutes the first time.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

if [ $# = 0 ]; then
    mapfile -t files < <(grep -lx 'default = false' sandbox/runtimes/*/runtime.toml)
    mapfile -t names < <(dirname "${files[@]}" | xargs -n 1 basename)
    set -- "${names[@]}"
fi
OPTIONAL_RUNTIMES="$(IFS=, && echo "$*")"
export OPTIONAL_RUNTIMES
prepare_stack
say "== roots of $*"
sandbox/build-root.sh "$SANDBOX_ROOTS" "$@"

say "== sandbox"
cargo test -p sandbox --test conformance -- --ignored optional_runtimes
# The attacks of other runtimes are part of `make test`.
ATTACKS=native cargo test -p sandbox --test attacks -- --nocapture --exact bubblewrap_withstands_every_attack docker_withstands_every_attack

say "== stack"
cargo build -p api -p worker -p approver -p cli
cargo test -p tests --test it -- --ignored optional_runtimes
