#!/usr/bin/env bash
# Line coverage of the whole workspace, as text and HTML under target/coverage.
#
# The runner is left out: it runs behind the sandbox's walls, where it cannot write what was counted.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

tarpaulin="$root/target/tools/bin/cargo-tarpaulin"
if have cargo-tarpaulin; then
    tarpaulin=cargo-tarpaulin
elif [ ! -x "$tarpaulin" ]; then
    say "Building cargo-tarpaulin (once, some minutes)"
    cargo install --quiet --locked --root "$root/target/tools" cargo-tarpaulin
fi
scripts/setup.sh
export SANDBOX_ROOTS="${SANDBOX_ROOTS:-$root/target/sandbox-roots}"
sandbox/build-root.sh "$SANDBOX_ROOTS"

# The programs too are built for coverage, with failpoints and without, since the tests start them; and with the same flags, or everything
# would be built twice.
build="$root/target/coverage-build"
RUSTFLAGS="$("$tarpaulin" tarpaulin --engine llvm --print-rust-flags | sed -n 's/.*RUSTFLAGS="\(.*\)".*/\1/p')" \
    CARGO_TARGET_DIR="$build" scripts/instrument.sh
objects=()
for program in api approver worker promptcraft; do objects+=(--objects "$build/debug/$program"); done

"$tarpaulin" tarpaulin --workspace --engine llvm --follow-exec --no-fail-fast --skip-clean --target-dir "$build" "${objects[@]}" \
    --exclude-files 'target/*' 'sandbox/runner/src/*' --out Html --output-dir target/coverage --timeout 600
