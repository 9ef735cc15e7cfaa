#!/usr/bin/env bash
# Runs the attacks and the conformance suite of the bubblewrap backend in an unprivileged container: attacks.sh
#
# The container is that of a worker: no engine's socket, no privilege, another user than root, no capability, a read-only
# root, and the seccomp profile beside this script. Needs a Docker engine, root for the image's packages, and mmdebstrap.
# SANDBOX_ROOTS is the folder of the roots; ATTACKS=word selects attacks by name, and then nothing else runs.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
project="$(cd "$here/../.." && pwd)"
roots="$(readlink -f "${SANDBOX_ROOTS:-$project/target/sandbox-roots}")"
image=promptcraft-attacks-base
# The suite has more than 300 runs. Fewer mean that it did not find its cases.
min_runs="${ATTACKS:+1}"
min_runs="${min_runs:-300}"

die() {
    echo "attacks.sh: $*" >&2
    exit 1
}

# Builds the base image unless the engine has one of this list of packages.
build_image() {
    local packages=bubblewrap,python3-minimal scratch
    if [ "$(docker image inspect --format '{{.Comment}}' "$image" 2>/dev/null)" = "$packages" ]; then return; fi
    scratch="$(mktemp -d)"
    # shellcheck source=/dev/null
    mmdebstrap --quiet --variant=essential --include="$packages" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$scratch/base.tar" ||
        die "mmdebstrap failed; see above"
    docker import --message "$packages" "$scratch/base.tar" "$image" >/dev/null
    rm -rf "$scratch"
}

# Prints the path of a built test program.
test_program() { # name
    cargo test --manifest-path "$project/Cargo.toml" -p sandbox --test "$1" --no-run --message-format json |
        python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == sys.argv[1]:
        print(message["executable"])' "$1"
}

# Runs a program in a container like that of a worker.
in_container() { # program arguments...
    docker run --rm --init --user 65534:65534 --cap-drop ALL --read-only --network none --tmpfs /tmp \
        --security-opt no-new-privileges --security-opt "seccomp=$here/seccomp.json" --security-opt apparmor=unconfined \
        --memory 5g --pids-limit 4000 \
        --volume "$roots:/srv/sandbox-roots:ro" --volume "$project/sandbox:$project/sandbox:ro" --volume "$1:/suite:ro" \
        --volume "$secret:/run/secrets/worker:ro" --volume "$here/profile_check.py:/profile_check.py:ro" \
        --env SANDBOX_ROOTS=/srv/sandbox-roots --env "ATTACKS=${ATTACKS:-}" --env ATTACKS_SECRET="$(cat "$secret")" \
        "$image" "${@:2}"
}

# A Python of the container's own, to make calls that no sandbox restricts.
check_profile() {
    local root=/srv/sandbox-roots/python/rootfs
    in_container /dev/null /usr/bin/env PYTHONHOME=$root/usr "$root/lib64/ld-linux-x86-64.so.2" \
        --library-path $root/usr/lib/x86_64-linux-gnu $root/usr/bin/python3 /profile_check.py
}

docker version >/dev/null || die "no Docker engine answers"
[ -d "$roots/python" ] || die "no roots in $roots; build them with sandbox/build-root.sh"
build_image
secret="$(mktemp)"
log="$(mktemp)"
trap 'rm -f "$secret" "$log"' EXIT
tr -d - </proc/sys/kernel/random/uuid >"$secret"
chmod 644 "$secret"

check_profile
# As on a host, the worker's process id must be none that a job has in its own namespace: attacks try it.
# shellcheck disable=SC2016 # for the shell in the container
in_container "$(test_program attacks)" /bin/sh -c 'n=0; while [ $n -lt 2000 ]; do (:); n=$((n + 1)); done; /suite "$@"; exit $?' \
    suite --exact bubblewrap_withstands_every_attack --nocapture 2>&1 | tee "$log"
runs="$(sed -n 's/^\([0-9]*\) runs of attacks, 0 went wrong$/\1/p' "$log")"
[ "${runs:-0}" -ge "$min_runs" ] || die "only ${runs:-0} runs of attacks; at least $min_runs are expected"
grep -q '^These jobs have no /proc$' "$log" || die "the jobs have a /proc, so this is not the container that was meant"
if [ -z "${ATTACKS:-}" ]; then
    in_container "$(test_program conformance)" /suite bubblewrap:: 2>&1 | tee "$log"
    grep -q '^test bubblewrap::memory_runs_out ... ok$' "$log" || die "the conformance suite did not run"
fi
echo "Every attack was contained in the container ($runs runs)"
