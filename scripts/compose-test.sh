#!/usr/bin/env bash
# Builds the images of docker-compose.yml without a registry, starts the stack, tests it end to end, and takes it down:
# compose-test.sh [FILTER OF TESTS]
#
# As root, because it unpacks packages for base images and kills processes in containers. COMPOSE names the program, e.g.
# "docker compose"; PROFILE=release takes the programs of a release build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
export COMPOSE="${COMPOSE:-docker-compose}"
export COMPOSE_PROJECT_NAME="promptcraft-test-$$"
export PROMPTCRAFT_VERSION=test PROMETHEUS_IMAGE=promptcraft-local/prometheus LIMITS_PROFILE=load
export API_PORT NATS_PORT PROMETHEUS_PORT FRONT_SUBNET FRONT_RANGE PROXY_ADDRESS
target="${CARGO_TARGET_DIR:-$root/target}"
docker_pid="$target/compose-dockerd.pid"
read -ra compose <<<"$COMPOSE"

[ "$(id -u)" = 0 ] || die "needs root"

clean_up() {
    local status=$?
    if [ "$status" != 0 ]; then "${compose[@]}" logs --no-color --tail 30 >"$target/compose-test.log" 2>&1 || true; fi
    "${compose[@]}" --profile observability --profile cluster down --volumes --timeout 5 >/dev/null 2>&1 || true
    stop_docker "$docker_pid"
    if [ "$status" != 0 ]; then say "Failed; the end of the containers' logs is in $target/compose-test.log"; fi
}

prepare() {
    mkdir -p "$target"
    scripts/start-docker.sh "$docker_pid"
    if ! have "${compose[0]}"; then
        say "Installing docker-compose"
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker-compose >/dev/null
    fi
    prepare_stack
    cargo build --quiet ${PROFILE:+--profile "$PROFILE"} -p api -p approver -p worker -p cli
    deploy/compose/images.sh "$target/${PROFILE:-debug}" "$SANDBOX_ROOTS"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Addresses that neither another stack nor another run uses.
choose_addresses() {
    API_PORT="$(free_port)" NATS_PORT="$(free_port)" PROMETHEUS_PORT="$(free_port)"
    local front="172.31.$(($$ % 200 + 20))"
    FRONT_SUBNET="$front.0/24" FRONT_RANGE="$front.128/25" PROXY_ADDRESS="$front.2"
}

# Prints the running containers with this state of health.
in_health() {
    docker ps --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter "health=$1" | wc -l
}

# Waits until this number of containers is healthy.
wait_until_healthy() {
    for _ in $(seq 300); do
        if [ "$(in_health healthy)" = "$1" ]; then return 0; fi
        sleep 0.2
    done
    "${compose[@]}" ps
    die "not healthy after 60 s"
}

# Starts the stack and prints how long it takes until this number of containers is healthy: up CONTAINERS [OPTIONS OF COMPOSE]
up() {
    local began
    began="$(date +%s%N)"
    "${compose[@]}" "${@:2}" up --detach --no-build >"$target/compose-up.log" 2>&1 || { cat "$target/compose-up.log"; return 1; }
    wait_until_healthy "$1"
    say "$1 containers are healthy after $((($(date +%s%N) - began) / 1000000)) ms"
}

# Every process is scraped, and the alert rules are loaded.
check_observability() {
    "${compose[@]}" --profile observability up --detach --no-deps prometheus >/dev/null 2>&1
    python3 - "$PROMETHEUS_PORT" <<'PY'
import json, sys, time, urllib.request

def ask(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/api/v1/{path}", timeout=5) as answer:
        return json.load(answer)["data"]

for _ in range(90):
    try:
        targets = [(target["labels"]["job"], target["health"]) for target in ask("targets")["activeTargets"]]
    except OSError:
        targets = []
    if sorted(targets) == [("api", "up")] * 2 + [("approver", "up")] * 2 + [("worker", "up")]:
        break
    time.sleep(0.5)
else:
    raise SystemExit(f"Prometheus sees {targets}")
print(f"Prometheus scrapes {len(targets)} processes and has {len(ask('rules')['groups'])} groups of rules")
PY
}

trap clean_up EXIT
prepare
choose_addresses
say "== start"
up 8
export COMPOSE_URL="http://127.0.0.1:$API_PORT"
say "== tests"
cargo test --quiet --workspace --test compose -- --ignored --test-threads 1 "$@"
say "== Prometheus"
check_observability
