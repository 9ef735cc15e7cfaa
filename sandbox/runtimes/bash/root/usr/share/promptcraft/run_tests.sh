# shellcheck shell=bash
# Runs every test file of the job in a shell of its own and writes one JSON line as a test starts and one as it ends to
# descriptor 3. A file is one test, or, where it defines functions named test_*, each of them is. The reader trusts nothing of this.
report=3
no_tests_collected=5

# What JSON takes without escapes; a name is short and of plain characters, or it is cut down to them.
plain() { printf '%s' "${1//[^A-Za-z0-9._\/: -]/?}"; }

# Milliseconds; the locale may write the point as a comma.
now() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# run_test NAME COMMAND...
run_test() {
    local name began code outcome=passed message=null
    name="$(plain "$1")"
    shift
    printf '{"event":"start","name":"%s"}\n' "$name" >&"$report"
    began="$(now)"
    "$@" 3>&-
    code=$?
    if [ "$code" -ne 0 ]; then
        outcome=failed message="\"exit code $code\"" status=1
    fi
    printf '{"event":"end","name":"%s","outcome":"%s","duration_ms":%d,"message":%s}\n' \
        "$name" "$outcome" "$(($(now) - began))" "$message" >&"$report"
}

# The names of functions test_* that a file defines, one a line; none of a file that ends itself, for it runs its tests itself.
functions_of() {
    grep -qE '^exit( |$)' "$1" || sed -nE 's/^[[:space:]]*(function[[:space:]]+)?(test_[A-Za-z0-9_]+)[[:space:]]*(\(\)|\{|$).*/\2/p' "$1" | sort -u
}

# shellcheck disable=SC2016 # for the shell that runs the test
call_function='trap "exit 1" EXIT; source "$1" || exit; trap - EXIT; "$2"'

mapfile -t files < <(find . -type f \( -name 'test_*.sh' -o -name '*_test.sh' \) | sort)
[ "${#files[@]}" -gt 0 ] || exit "$no_tests_collected"
status=0
for file in "${files[@]}"; do
    mapfile -t functions < <(functions_of "$file")
    if [ "${#functions[@]}" -eq 0 ]; then
        run_test "${file#./}" bash "$file"
    fi
    for function in "${functions[@]}"; do
        run_test "${file#./}::$function" bash -c "$call_function" "$file" "$file" "$function"
    done
done
exit "$status"
