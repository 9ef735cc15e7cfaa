#!/bin/sh
# Finishes the root given as argument, after Python's own script: makes the list of fonts, so that no job does.
set -eu
root="$1"
cd "$root"
lists=usr/share/promptcraft/matplotlib
mkdir -p "$lists"
PYTHONHASHSEED=0 MPLBACKEND=agg MPLCONFIGDIR="/$lists" chroot "$root" /usr/bin/python3 -B -c '
import numpy, pandas, requests
from matplotlib import font_manager'
find "$lists" -type f ! -name 'fontlist-*.json' -delete
ls "$lists"/fontlist-*.json >/dev/null
