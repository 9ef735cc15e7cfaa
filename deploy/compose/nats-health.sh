#!/bin/bash
# Succeeds if the broker is healthy; restarts it when it does not recover by itself.
#
# A broker whose disk was full rejects writes until a restart with free space. It is ended after three checks that show this, so
# that the restart policy of its container starts it again. A broker that never was healthy in this container still reads its
# store, which takes as long as it takes.
set -u
failures=/tmp/failures
was_healthy=/tmp/was-healthy
if answer="$(probe 8222 /healthz)"; then
    rm -f "$failures"
    touch "$was_healthy"
    exit 0
fi
if [[ "$answer" == *"write error"* ]] || { [ -e "$was_healthy" ] && ! probe 8222 '/healthz?js-enabled-only=true' >/dev/null; }; then
    echo >>"$failures"
    [ "$(wc -l <"$failures")" -lt 3 ] || { rm -f "$failures"; kill 1; }
fi
exit 1
