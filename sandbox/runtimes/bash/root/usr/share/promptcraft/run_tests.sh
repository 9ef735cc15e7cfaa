# shellcheck shell=bash
# Runs every test file of the job in its own shell. Writes one JSON line when a test starts and one when it ends to
# descriptor 3. A file is one test or, if it defines functions named test_*, each of them is. The reader does not trust
# the lines.
report=3
no_tests_collected=5

# Replaces every character that could need an escape in JSON.
plain() { printf '%s' "${1//[^A-Za-z0-9._\/: -]/?}"; }

# Prints the time in milliseconds; the locale may write the point as a comma.
now() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# run_test NAME COMMAND...
run_test() {
    local name began message='' outcome=passed
    name="$(plain "$1")"
    shift
    printf '{"event":"start","name":"%s"}\n' "$name" >&"$report"
    began="$(now)"
    "$@"
    if [ -n "$message" ]; then
        outcome=failed status=1 message="\"$message\""
    fi
    printf '{"event":"end","name":"%s","outcome":"%s","duration_ms":%d,"message":%s}\n' \
        "$name" "$outcome" "$(($(now) - began))" "${message:-null}" >&"$report"
}

# Sets `message` of run_test if the file fails.
# shellcheck disable=SC2317 # run_test calls it by name
run_file() {
    local code
    bash "$1" 3>&-
    code=$?
    [ "$code" -eq 0 ] || message="exit code $code"
}

# Runs one function of a file, in a shell without arguments and without variables of this script. The function runs
# under `set -e`; otherwise only its last command would count. The file `$called` shows that the function was reached.
# shellcheck disable=SC2317 # run_test calls it by name
run_function() {
    local code
    rm -f "$called"
    bash -c "source ${1@Q}; [ \$? -eq 0 ] || exit; : >|${called@Q}; set -e; $2" "$1" 3>&-
    code=$?
    if [ ! -e "$called" ]; then
        message="the file ended with exit code $code before the function was called"
    elif [ "$code" -ne 0 ]; then
        message="exit code $code"
    fi
}

# Prints the file as Bash formats it, without comments and with one command per line, indented by 4; the unchanged file
# if Bash cannot parse it.
# shellcheck disable=SC2016 # for the shell that reads the file
text_of() {
    bash -c 'eval "promptcraft_text() {
$(<"$1")
}" && declare -f promptcraft_text' bash "$1" 2>/dev/null 3>&- || sed -E 's/^/    /; s/[[:space:]]#.*//' "$1"
}

definition='^ {4}[[:space:]]*(function[[:space:]]+(test_[A-Za-z0-9_.:-]+)|(test_[A-Za-z0-9_.:-]+)[[:space:]]*\(\)).*'
ends_itself='^    exit([[:space:];]|$)'

# Prints the functions that a text names in the code it runs: at the top level, or in functions named there in turn.
# Printed and quoted sentences do not count.
# shellcheck disable=SC2016 # for awk
functions_named_in() {
    sed -E "/$ends_itself/Q; s/(\"[^\"\$\`]* [^\"\$\`]*\"|'[^']* [^']*')//g; s/(^|[[:space:];&|(])(echo|printf)[[:space:]][^;&|\$\`]*/\1/g" |
        awk '
            /^    function [^ ]+ \(\)/ { name = $2; body[name] = ""; next }
            name != "" && /^    };?$/ { name = ""; next }
            { body[name] = body[name] " " $0 }
            END { look("") }
            function look(name,    words, count, i) {
                count = split(body[name], words, /[^A-Za-z0-9_.:-]+/)
                for (i = 1; i <= count; i++) if (words[i] ~ /./ && words[i] in body && !(words[i] in seen)) {
                    seen[words[i]]
                    print words[i]
                    look(words[i])
                }
            }'
}

# Succeeds if a file runs its tests itself: it ends with `exit` after it calls or looks up each of its functions.
runs_its_tests() { # TEXT FUNCTIONS
    local named function
    grep -qE "$ends_itself" <<<"$1" || return 1
    ! sed -E "/$ends_itself/Q" <<<"$1" | grep -qE '(declare|typeset) -F|compgen -A function' || return 0
    named="$(functions_named_in <<<"$1")"
    for function in $2; do
        grep -qxF -e "$function" <<<"$named" || return 1
    done
}

# Prints the functions test_* of a file, one per line; none for a file that runs its tests itself.
functions_of() {
    local text functions
    text="$(text_of "$1")"
    functions="$(sed -nE "s/$definition/\2\3/p" <<<"$text" | sort -u)"
    [ -z "$functions" ] || runs_its_tests "$text" "$functions" || printf '%s\n' "$functions"
}

# A file in place of process substitution, which needs /proc.
listed="$(mktemp)"
called="$(mktemp)"
find . -type f \( -name 'test_*.sh' -o -name '*_test.sh' \) | sort >"$listed"
mapfile -t files <"$listed"
[ "${#files[@]}" -gt 0 ] || exit "$no_tests_collected"
status=0
for file in "${files[@]}"; do
    functions_of "$file" >"$listed"
    mapfile -t functions <"$listed"
    if [ "${#functions[@]}" -eq 0 ]; then
        run_test "${file#./}" run_file "$file"
    fi
    for function in "${functions[@]}"; do
        run_test "${file#./}::$function" run_function "$file" "$function"
    done
done
rm -f "$called" "$listed"
exit "$status"
