#!/bin/sh
# Fuzzes each target for SECONDS_EACH seconds (default 60), coverage-guided, with a stable compiler. Reads the corpus of
# the repository; writes findings to target/fuzz.
set -eu
cd "$(dirname "$0")"
seconds="${SECONDS_EACH:-60}"
target="${CARGO_TARGET_DIR:-$PWD/../../target}/fuzz"
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
# With a target triple the flags do not apply to build scripts.
triple="$(rustc -vV | sed -n 's/^host: //p')"
RUSTFLAGS="$flags" cargo build --release --locked --target "$triple" --target-dir "$target"
for name in frame files report; do
    mkdir -p "$target/corpus/$name"
    "$target/$triple/release/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$target/" \
        "$target/corpus/$name" "corpus/$name"
done
