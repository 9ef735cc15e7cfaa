#!/usr/bin/env bash
# Ensures that a Docker engine is running: start-docker.sh PID_FILE
#
# Installs Docker if it is missing and starts the engine if none is running, without systemd if necessary, with gVisor as the
# runtime `runsc` if the distribution has it. Writes the process id of an engine that it started to PID_FILE, for the caller to
# end; otherwise PID_FILE does not exist.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pid_file="$1"
log="$root/target/dockerd.log"
runsc="$root/target/runsc-sandbox"
runtimes=()
rm -f "$pid_file"

engine_answers() { python3 - <<'PY' 2>/dev/null; }
import socket
engine = socket.socket(socket.AF_UNIX)
engine.settimeout(5)
engine.connect("/var/run/docker.sock")
engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
raise SystemExit(b"200 OK" not in engine.recv(64))
PY

wait_for_engine() { # pid
    for _ in $(seq 60); do
        if engine_answers; then return 0; fi
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.5
    done
    return 1
}

# Platform ptrace needs no virtualization; sandboxes have no network in any case.
offer_gvisor() {
    if ! have runsc && have apt-get; then
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends runsc >/dev/null 2>&1 || true
    fi
    have runsc || return 0
    printf '#!/bin/sh\nexec runsc --platform=ptrace --network=none "$@"\n' >"$runsc"
    chmod +x "$runsc"
    runtimes=(--add-runtime "runsc=$runsc")
}

start() { # further arguments for dockerd
    dockerd "${runtimes[@]}" "$@" >"$log" 2>&1 </dev/null &
    local pid=$!
    if wait_for_engine "$pid"; then
        say "$pid" >"$pid_file"
        return 0
    fi
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    return 1
}

if engine_answers; then exit 0; fi
[ "$(id -u)" = 0 ] || die "no Docker engine answers, and only root can start one"
if ! have dockerd; then
    have apt-get || die "Docker is missing; install its engine with your package manager"
    say "Installing docker.io"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends docker.io >/dev/null
    if engine_answers; then exit 0; fi
fi
mkdir -p "$(dirname "$log")"
offer_gvisor
# Retried without network, which sandboxes do not need, if iptables is unusable.
start || start --iptables=false --ip6tables=false --bridge=none ||
    die "the Docker engine does not start; see $log"
