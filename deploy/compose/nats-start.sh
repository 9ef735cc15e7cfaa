#!/bin/bash
# Starts the broker, as one node of a cluster of three if NATS_REPLICAS is 3.
set -euo pipefail

# The passwords that the configuration names, each a value of the configuration.
set -a
# shellcheck source=/dev/null
. /secrets/environment
set +a
config=/secrets/server.conf

if [ "$NATS_REPLICAS" != 1 ]; then
    mkdir -p /tmp/nats
    cp -R /secrets/. /tmp/nats
    config=/tmp/nats/server.conf
    password="${NATS_ROUTE_PASSWORD//\"/}"
    # Workers are in the same network, so a route needs a password.
    route="nats-route://route:$password"
    cat >>"$config" <<END
cluster {
  name: promptcraft
  listen: "0.0.0.0:6222"
  authorization { user: route, password: "$password", timeout: 5 }
  routes: [ "$route@nats:6222", "$route@nats-2:6222", "$route@nats-3:6222" ]
}
END
elif [ "$NATS_NODE" != nats ]; then
    echo "nats-start: the profile cluster needs the variables of deploy/compose/cluster.env in .env" >&2
    exit 1
fi
export NATS_SERVER_NAME="\"$NATS_NODE\"" NATS_LISTEN='"0.0.0.0:4222"' NATS_MONITOR_LISTEN='"0.0.0.0:8222"' NATS_STORE_DIR='"/data"'
exec nats-server --config "$config"
