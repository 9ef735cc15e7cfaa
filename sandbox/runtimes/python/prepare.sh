#!/bin/sh
# Finishes the root given as argument: compiles every module once, so that no job does.
set -eu
root="$1"
cd "$root"
# `-P` keeps the job's folder off the import path until our modules are loaded.
chroot "$root" /usr/bin/python3 -P -c '' || {
    echo "the distribution's Python is older than 3.11 and does not support -P" >&2
    exit 1
}
# Debian's hook is a link into /etc, which jobs cannot read; without the link there is no failing hook.
find usr/lib -name sitecustomize.py -type l -delete
# Unchecked hashes: the root is read-only, so jobs need not compare times. The hash seed fixes the order of constant
# sets across builds.
# shellcheck disable=SC2046 # one argument a folder
PYTHONHASHSEED=0 chroot "$root" /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash \
    $(for folder in usr/lib/python3 usr/lib/python3.*; do echo "/$folder"; done)
