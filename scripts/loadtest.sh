#!/usr/bin/env bash
# Puts a stack of its own under load and stops it: loadtest.sh [SCENARIO] [OPTIONS OF promptcraft-loadtest]. The exit code is that of
# promptcraft-loadtest, 2 if the stack could not be prepared. The report is in reports/loadtest, beside the logs of a stack that failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

out="$root/reports/loadtest"
folder="$(mktemp -d)"
stack=
is_ready=

finish() {
    local status=$?
    set +e
    # A stack that was never ready is no verdict about it.
    if [ "$status" != 0 ] && [ -z "$is_ready" ]; then status=2; fi
    if [ -n "$stack" ]; then
        kill -TERM "$stack" 2>/dev/null
        wait "$stack"
    fi
    if [ "$status" != 0 ] && [ -d "$folder/logs" ]; then
        mkdir -p "$out"
        rm -rf "$out/logs"
        cp -r "$folder/logs" "$out/logs"
    fi
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT

link_what_was_built() {
    ln -s "$SANDBOX_ROOTS" "$folder/sandbox"
    for part in bin models cache; do
        if [ -e "$data/$part" ]; then ln -s "$data/$part" "$folder/$part"; fi
    done
}

start_stack() {
    PROMPTCRAFT__LIMITS__PROFILE=load PROMPTCRAFT__BUDGET__PER_USER_DAY=1000000 \
        "$programs/promptcraft" up --demo --port 0 --data "$folder" >"$folder/up.log" 2>&1 &
    stack=$!
    for _ in $(seq 240); do
        if grep -q '^Ready' "$folder/up.log"; then return; fi
        kill -0 "$stack" 2>/dev/null || break
        sleep 0.5
    done
    cat "$folder/up.log" >&2
    die "the stack did not start"
}

prepare_stack
programs="${CARGO_TARGET_DIR:-target}/release"
cargo build --release -p api -p worker -p approver -p cli -p loadtest
link_what_was_built
start_stack
is_ready=1
scenario=loadtest/scenarios/default.toml
case "${1:-}" in
'' | -*) ;;
*)
    scenario="$1"
    shift
    ;;
esac
revision="$(git rev-parse --short HEAD 2>/dev/null || true)"
"$programs/promptcraft-loadtest" "$scenario" --data "$folder" --out "$out" ${revision:+--revision "$revision"} "$@"
