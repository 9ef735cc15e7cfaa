#!/usr/bin/env bash
# Runs three workflows on a running stack: one from the catalogue, one with a file, one that a bot approves over NATS.
# `promptcraft up --then` runs it with the stack's manifest (PROMPTCRAFT_STACK) and its own program (PROMPTCRAFT_BIN).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stack="${PROMPTCRAFT_STACK:?is set by promptcraft up --then}"
promptcraft="${PROMPTCRAFT_BIN:?is set by promptcraft up --then}"
here="$(dirname "$stack")"
python="$here/venv/bin/python"

of_stack() { # expression on the manifest
    python3 -c "import json, sys; stack = json.load(open(sys.argv[1])); print($1)" "$stack"
}

prepare_bot() {
    if "$python" -c 'import nats' 2>/dev/null; then return; fi
    say "Fetching nats-py for the sample bot"
    python3 -m venv "$here/venv"
    "$python" -m pip --quiet install --require-hashes -r "$root/nats/examples/requirements.txt"
}

must_be_completed() { # workflow
    local status
    status="$("$promptcraft" status "$1" --data "$here" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])')"
    [ "$status" = completed ] || die "the sample $1 ended $status and not completed; see the logs in $here/logs"
}

sample() { # title, then arguments of `promptcraft run`
    say "--- $1"
    shift
    local id
    id="$("$promptcraft" run --data "$here" "$@" </dev/null)"
    say "accepted $id"
    "$promptcraft" status "$id" --data "$here" --watch </dev/null
    must_be_completed "$id"
    say
}

with_bot() {
    say "--- A result that waits until a script approves it over NATS (nats/examples/approve_bot.py)"
    prepare_bot
    local url password_file id goal="Write a binary search over a sorted list"
    url="$(of_stack 'stack["nats_url"]')"
    password_file="$(of_stack 'next(bot["password_file"] for bot in stack["bots"] if bot["name"] == "demo_bot")')"
    exec 3< <(NATS_URL="$url" BOT_PASSWORD_FILE="$password_file" "$python" "$root/nats/examples/approve_bot.py" "$goal" 2>&1)
    read -r <&3 # the bot listens
    id="$("$promptcraft" run --data "$here" "$goal" </dev/null)"
    say "submitted $id"
    sed 's/^/the bot: /' <&3
    "$promptcraft" status "$id" --data "$here" --watch </dev/null
    must_be_completed "$id"
    say
}

sample "A goal from the catalogue" "Write a function that computes fibonacci numbers" --no-approval
sample "A file of yours" "Run this script and report what it prints" --file "$root/scripts/samples/primes.py" --no-approval
with_bot
say "The stack stays up. Try: $promptcraft run \"Write an LRU cache with tests\" --watch"
