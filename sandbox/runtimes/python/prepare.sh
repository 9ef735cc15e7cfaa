#!/bin/sh
# Finishes a root, given as the argument: compiles everything once, so that no job does.
set -eu
root="$1"
cd "$root"
# `-P` keeps the job's folder off the path until our modules are loaded.
chroot "$root" /usr/bin/python3 -P -c '' || {
    echo "the distribution's Python is older than 3.11, which knows no -P" >&2
    exit 1
}
# Debian's hook links into /etc, which jobs cannot read; without a link there is no hook to fail.
find usr/lib -name sitecustomize.py -type l -delete
# Unchecked hashes: the root is read-only, so a job need not compare times.
# The order of a constant set would be another in each build.
# shellcheck disable=SC2046 # one argument a folder
PYTHONHASHSEED=0 chroot "$root" /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash \
    $(for folder in usr/lib/python3 usr/lib/python3.*; do echo "/$folder"; done)
