#!/usr/bin/env bash
set -euo pipefail
for size in 12 7 30; do
    echo "part of $size GB"
done | sort -k3 -n
echo "done"
