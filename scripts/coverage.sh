#!/usr/bin/env bash
# Measures line coverage of the workspace by its tests: a table by crate, and every line as HTML under target/coverage.
#
# Programs started by the tests are instrumented and counted as well. The runner is not, since it cannot write its counts from
# inside the sandbox; neither are processes killed with SIGKILL. Code of tests is not counted.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

have cargo-nextest || die "cargo-nextest is missing: cargo install --locked cargo-nextest"
tools=""
for folder in "$(rustc --print target-libdir)/../bin" /usr/lib/llvm-*/bin; do
    if [ -x "$folder/llvm-profdata" ] && [ -x "$folder/llvm-cov" ]; then tools="$folder"; fi
done
[ -n "$tools" ] || die "llvm-profdata and llvm-cov are missing: rustup component add llvm-tools, or apt-get install llvm-19 (or later)"
prepare_stack

build="$root/target/coverage-build"
profiles="$build/profiles"
output="$root/target/coverage"
rm -rf "$profiles" "$output"
mkdir -p "$profiles" "$output"
# Some programs write their profiles as an unprivileged user.
chmod 1777 "$profiles"

# A wrapper that cargo calls only for the workspace's crates instruments them. In bash: other shells drop variables such as
# CARGO_BIN_EXE_promptcraft-runner.
wrapper="$build/rustc"
printf '#!/bin/bash\nexec "$@" -C instrument-coverage\n' >"$wrapper"
chmod +x "$wrapper"
status=0
(
    export RUSTC_WORKSPACE_WRAPPER="$wrapper" CARGO_TARGET_DIR="$build"
    # Build scripts are instrumented as well; their profiles are discarded.
    export LLVM_PROFILE_FILE=/dev/null
    scripts/instrument.sh
    cargo nextest run --workspace --config-file scripts/nextest.toml --no-run
    export LLVM_PROFILE_FILE="$profiles/%16m.profraw"
    cargo nextest run --workspace --config-file scripts/nextest.toml
) || status=$?

"$tools/llvm-profdata" merge --sparse --failure-mode=all "$profiles"/*.profraw -o "$build/all.profdata"
mapfile -t programs < <(find "$build/debug" "$build/debug/deps" "$build/debug/instrumented" -maxdepth 1 -type f -perm -u+x ! -name '*.so' ! -name rustc)
objects=()
for program in "${programs[@]}"; do objects+=(-object "$program"); done
report=("${objects[@]}" -instr-profile="$build/all.profdata"
    -ignore-filename-regex="/registry/|/rustc/|/target/|/sandbox/runner/src/|/tests/|/benches/|/examples/|/build\.rs$")
"$tools/llvm-cov" show "${report[@]}" -format=html -output-dir="$output" >/dev/null
"$tools/llvm-cov" export "${report[@]}" -format=lcov -skip-expansions -skip-functions >"$output/lcov.info"
python3 scripts/coverage.py "$root" "$output/lcov.info"
say "Every line: $output/index.html"
if [ "$status" -ne 0 ]; then say "Some tests failed; what they reach may be missing"; fi
exit "$status"
