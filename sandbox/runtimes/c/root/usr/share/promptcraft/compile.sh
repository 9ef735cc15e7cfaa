#!/bin/sh
# Compiles a program and executes it: compile.sh COMPILER FILE [ARGUMENT...]
#
# Other files of the job with the same ending, at its top level and up to two folders below, are compiled and linked with it,
# except those that define `main`: they are programs of their own. The program takes the place of this process, so its
# exit code and its signals are those of the run.
compiler="$1" file="$2"
shift 2
ending="${file##*.}"
standard="-std=gnu17"
case "$compiler" in *g++) standard="-std=gnu++20" ;; esac

defines_main() {
    while IFS= read -r line || [ -n "$line" ]; do
        case "$line" in [A-Za-z]*" main("* | [A-Za-z]*" main ("*) return 0 ;; esac
    done <"$1"
    return 1
}

# In a subshell, whose arguments become the list of files.
compile() (
    set -- "$file"
    for other in ./*."$ending" ./*/*."$ending" ./*/*/*."$ending"; do
        if [ -f "$other" ] && [ "$other" != "$file" ] && ! defines_main "$other"; then set -- "$@" "$other"; fi
    done
    exec "$compiler" "$standard" -O1 -pipe -pthread -o /programs/main "$@" -lm </dev/null >&2
)

if ! compile; then
    echo "compile error: the program was not run" >&2
    exit 1
fi
exec /programs/main "$@"
