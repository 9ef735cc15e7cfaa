#!/bin/sh
# Finishes a root, given as the argument, as that of Python.
set -eu
exec "$(dirname "$0")/../../runtimes/python/prepare.sh" "$1"
