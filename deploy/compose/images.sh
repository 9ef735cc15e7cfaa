#!/usr/bin/env bash
# Builds the images of docker-compose.yml without a registry: images.sh FOLDER_OF_PROGRAMS FOLDER_OF_SANDBOX_ROOTS
#
# Base images are made of the distribution's packages and kept under promptcraft-local/. Programs, roots and model are those of this
# workspace. Needs root and a Docker engine.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=sandbox/distribution.sh
. "$root/sandbox/distribution.sh"
cd "$root"
programs="$1"
roots="$2"
names=promptcraft-local
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# Imports a tar from standard input unless the image exists: import_once IMAGE COMMAND...
import_once() {
    local image="$1"
    shift
    docker image inspect "$image" >/dev/null 2>&1 || "$@" | docker import - "$image" >/dev/null
}

short_hash() { sha256sum | cut -c1-12; }

# Prints a tar with packages and what they depend on, unpacked but not configured: unpack NAME PACKAGES
unpack() {
    local folder="$scratch/$1" option options=()
    while IFS= read -r option; do
        options+=(--aptopt="$option")
    done < <(apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ' || true)
    mmdebstrap --quiet --variant=extract --include="base-files,base-passwd,bash,coreutils,dash,grep,$2" "${options[@]}" \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$folder" - <<<"$(distribution_sources)" >&2
    [ -e "$folder/bin/sh" ] || ln -s dash "$folder/bin/sh"
    # What the package's configuration would write.
    if [ -d "$folder/usr/share/ca-certificates" ]; then
        find "$folder/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$folder/etc/ssl/certs/ca-certificates.crt"
    fi
    rm -rf "${folder:?}"/{var/cache/apt,var/lib/apt/lists,dev} "$folder"/usr/share/{doc,man,info} "$folder"/etc/{hostname,resolv.conf}
    mkdir -p "$folder"/{dev,prometheus}
    chown 65534:65534 "$folder/prometheus"
    tar -C "$folder" --numeric-owner -c .
}

# Prints a tar of files under one folder: files FOLDER FILE...
files() {
    local folder="$1"
    shift
    mkdir -p "$scratch/files$folder"
    cp -a "$@" "$scratch/files$folder/"
    tar -C "$scratch/files" --owner=0 --group=0 --numeric-owner -c .
    rm -rf "$scratch/files"
}

# Prints a tar of the finished roots: those of this version only, without what is needed to build them.
finished_roots() {
    local part parts=()
    for part in "$roots"/*/rootfs; do
        part="$(basename "$(dirname "$part")")"
        parts+=("./$part/rootfs" "./$part/$(readlink "$roots/$part/rootfs")" "./$part/packages" "./$part/digest" "./$part/image")
    done
    tar -C "$roots" --transform 's#^\./#roots/#;s#^\.$#roots#' --numeric-owner -c "${parts[@]}"
}

# BuildKit is a part of the engine, but newer clients reach it by a plugin only, which Debian's client does not need.
find_builder() {
    for builder in docker /usr/bin/docker; do
        if DOCKER_BUILDKIT=1 "$builder" build --help 2>/dev/null | grep -q -e --secret; then return; fi
    done
    die "no Docker client with BuildKit: install docker-buildx or docker.io"
}

base="$names/base:$(echo "bubblewrap $(declare -f unpack)" | short_hash)"
services="$names/services:$(echo "redis nginx prometheus $(declare -f unpack)" | short_hash)"
nats_server="$(PATH="$PATH:$data/bin" command -v nats-server)"
nats="$names/nats:$(short_hash <"$nats_server")"
model="$names/model:$(short_hash <"$data/models/all-minilm-l6-v2/model.safetensors")"
finished="$names/roots:$(cat "$roots"/*/digest | short_hash)"

import_once "$base" unpack base bubblewrap,ca-certificates &
imports=("$!")
import_once "$services" unpack services redis-server,nginx-light,prometheus,wget &
imports+=("$!")
import_once "$nats" files / "$nats_server"
import_once "$model" files /model "$data"/models/all-minilm-l6-v2/*
import_once "$finished" finished_roots
mkdir "$scratch/programs"
for program in api approver worker promptcraft; do
    strip -o "$scratch/programs/$program" "$programs/$program"
done
files /programs "$scratch"/programs/* | docker import - "$names/programs:latest" >/dev/null
for import in "${imports[@]}"; do wait "$import"; done

find_builder
for target in cli nats redis proxy api approver worker; do
    DOCKER_BUILDKIT=1 "$builder" build --quiet --target "$target" --tag "promptcraft/$target:${PROMPTCRAFT_VERSION:-latest}" \
        --build-arg BASE="$base" --build-arg SERVICES_BASE="$services" --build-arg NATS="$nats" --build-arg RUST="$base" \
        --build-arg PROGRAMS="$names/programs" --build-arg ROOTS="$finished" --build-arg MODEL="$model" \
        --build-arg REVISION="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" . >/dev/null
done
# Prometheus of the same packages, for the profile observability.
docker tag "$services" "$names/prometheus:latest"
