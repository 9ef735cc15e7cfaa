#!/bin/sh
# Finishes the root given as argument: removes what compiling one program does not need.
set -eu
cd "$1"
# Optimization at link time, other languages, and the checkers of memory and threads.
find usr/lib/gcc -type f \( -name 'lto*' -o -name '*san*' -o -name 'g++-mapper-server' -o -name 'libgcov.a' \
    -o -name 'libgomp*' -o -name 'libitm*' -o -name 'libquadmath.a' -o -name 'libcaf*' \) -delete
find usr/lib/*-linux-gnu* -maxdepth 1 \( -name 'lib*san.so*' -o -name 'libgprofng*' \) -delete
rm -rf usr/share/gcc usr/share/gdb usr/lib/*-linux-gnu*/gprofng
