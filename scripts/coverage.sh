#!/usr/bin/env bash
# Line coverage of the whole workspace, as text and HTML under target/coverage.
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
cargo build --quiet --workspace --bins
"$tarpaulin" tarpaulin --workspace --engine llvm --follow-exec --skip-clean --target-dir target/coverage-build \
    --exclude-files 'target/*' --out Html --output-dir target/coverage --timeout 600
