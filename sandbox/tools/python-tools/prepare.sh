#!/bin/sh
# Finishes the root given as argument like that of Python.
set -eu
exec "$(dirname "$0")/../../runtimes/python/prepare.sh" "$1"
