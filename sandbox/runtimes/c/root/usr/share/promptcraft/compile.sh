#!/bin/sh
# Compiles a program and executes it: compile.sh COMPILER FILE [ARGUMENT...]
#
# The other files of the job with the same ending, in its folder and one below, are compiled and linked with it. The
# program takes the place of this process, so its exit code and its signals are those of the run.
compiler="$1" file="$2"
shift 2
ending="${file##*.}"
sources="$file"
for other in ./*."$ending" ./*/*."$ending"; do
    if [ -f "$other" ] && [ "$other" != "$file" ]; then
        # Names with spaces stay outside, because the list is divided by them.
        case "$other" in *[[:space:]]*) ;; *) sources="$sources $other" ;; esac
    fi
done
options="-std=gnu17"
case "$compiler" in *g++) options="-std=gnu++20" ;; esac
set -f
# shellcheck disable=SC2086 # a list of words
if ! "$compiler" $options -O1 -pipe -pthread -o /programs/main $sources -lm </dev/null >&2; then
    echo "compile error: the program was not run" >&2
    exit 1
fi
exec /programs/main "$@"
