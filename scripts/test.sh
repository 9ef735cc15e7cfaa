#!/usr/bin/env bash
# Runs all checks required before a merge: lints, then every test of the workspace.
#
# CI=true or SETUP=1, as root: installs and starts missing requirements, Docker included. CI=true: a skipped suite fails the run.
# The last lines name the skipped suites and count the tests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

# Jobs and some tests run as an unprivileged user that must be able to enter the folders of programs and sandbox roots.
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$root"; then
    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-/var/tmp/promptcraft-$(printf %s "$root" | cksum | cut -d ' ' -f 1)}"
fi
target="${CARGO_TARGET_DIR:-$root/target}"
log="$target/test.log"
report="$root/target/nextest/default/junit.xml"
docker_pid="$target/dockerd.pid"

prepare() {
    scripts/setup.sh
    scripts/setup.sh embeddings
    mkdir -p "$target"
    trap 'stop_docker "$docker_pid"' EXIT
    if [ "${CI:-}" = true ] || [ "${SETUP:-}" = 1 ]; then
        scripts/start-docker.sh "$docker_pid" || say "Going on without Docker"
        # Delivered JavaScript is also tried outside of the sandbox.
        install_program node nodejs
        # Alert rules and dashboards are judged by promtool; without it a CI run fails.
        install_program promtool prometheus
    fi
}

# Installs a program that some tests use: install_program PROGRAM PACKAGE
install_program() {
    if have "$1" || ! have apt-get || [ "$(id -u)" != 0 ]; then return; fi
    say "Installing $2"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" >/dev/null || say "Going on without $1"
}

# The generator's tests run every recipe with this interpreter; its path is compiled into them.
prepare_pytest() {
    export RECIPE_PYTHON="${RECIPE_PYTHON:-$target/pytest/bin/python}"
    if "$RECIPE_PYTHON" -c 'import pytest' 2>/dev/null; then return; fi
    say "Fetching pytest"
    python3 -m venv "$target/pytest"
    "$RECIPE_PYTHON" -m pip --quiet install --require-hashes -r scripts/requirements/pytest.txt ||
        say "Going on without pytest"
}

build() {
    say "== programs and sandbox roots"
    scripts/instrument.sh
    export SANDBOX_ROOTS="${SANDBOX_ROOTS:-$target/sandbox-roots}"
    sandbox/build-root.sh "$SANDBOX_ROOTS"
}

run_tests() {
    say "== tests"
    : >"$log"
    rm -f "$report"
    local status=0
    if cargo nextest --version >/dev/null 2>&1; then
        # Most tests wait more than they compute: with one per core, the cores are busy for half of the time.
        cargo nextest run --workspace --config-file scripts/nextest.toml --test-threads "$((2 * $(nproc)))" 2>&1 | tee -a "$log" || status=1
        cargo test --workspace --doc --no-fail-fast 2>&1 | tee -a "$log" || status=1
    else
        cargo test --workspace --no-fail-fast -- --show-output 2>&1 | tee -a "$log" || status=1
    fi
    return "$status"
}

# Needs root and the engine that `prepare` started. CI leaves it to `make verify`, because of its time.
test_containers() {
    if [ "${SETUP:-}" != 1 ]; then return; fi
    say "== containers"
    scripts/compose-test.sh 2>&1 | tee -a "$log"
}

skipped() { cat "$lints" "$log" "$report" 2>/dev/null | grep -oE 'SKIPPED: [^<&]*' | sort -u || true; }

# Sums nextest's summary and cargo's result lines.
count() { # passed|failed
    sed -n 's/\x1b\[[0-9;]*m//g; /^ *Summary \|^test result: /p' "$log" |
        grep -oE "[0-9]+ $1" | awk '{ sum += $1 } END { print sum + 0 }'
}

summarize() { # status
    local status="$1" names
    names="$(skipped)"
    say
    if [ -n "$names" ]; then
        say "$names"
        if [ "${CI:-}" = true ]; then
            say "A skipped suite fails a CI run"
            status=1
        fi
    fi
    say "$(count passed) passed, $(count failed) failed"
    return "$status"
}

prepare
prepare_pytest
lints="$target/lint.log"
scripts/lint.sh 2>&1 | tee "$lints"
build
status=0
run_tests || status=1
test_containers || status=1
summarize "$status"
