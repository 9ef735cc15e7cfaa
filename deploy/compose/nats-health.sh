#!/bin/bash
# Succeeds if the broker is healthy; restarts it when it does not recover by itself.
#
# A broker whose disk was full rejects writes until a restart with free space. It is ended after three checks that show this, so
# that the restart policy of its container starts it again.
set -u
failures=/tmp/failures
if answer="$(probe 8222 /healthz)"; then
    rm -f "$failures"
    exit 0
fi
if [[ "$answer" == *"write error"* ]] || ! probe 8222 '/healthz?js-enabled-only=true' >/dev/null; then
    echo >>"$failures"
    [ "$(wc -l <"$failures")" -lt 3 ] || { rm -f "$failures"; kill 1; }
fi
exit 1
