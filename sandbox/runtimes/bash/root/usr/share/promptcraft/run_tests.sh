# shellcheck shell=bash
# Runs every test file of the job in a shell of its own and writes one JSON line as it starts and one as it ends to
# descriptor 3. The reader trusts nothing of this.
report=3
no_tests_collected=5

# What stands in JSON as it is; a name is short and of plain characters, or it is cut down to them.
plain() { printf '%s' "${1//[^A-Za-z0-9._\/ -]/?}"; }

# Milliseconds; the locale may write the point as a comma.
now() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

mapfile -t files < <(find . -type f \( -name 'test_*.sh' -o -name '*_test.sh' \) | sort)
[ "${#files[@]}" -gt 0 ] || exit "$no_tests_collected"
status=0
for file in "${files[@]}"; do
    name="$(plain "${file#./}")"
    printf '{"event":"start","name":"%s"}\n' "$name" >&"$report"
    began="$(now)"
    bash "$file" 3>&-
    code=$?
    outcome=passed message=null
    if [ "$code" -ne 0 ]; then
        outcome=failed message="\"exit code $code\"" status=1
    fi
    printf '{"event":"end","name":"%s","outcome":"%s","duration_ms":%d,"message":%s}\n' \
        "$name" "$outcome" "$(($(now) - began))" "$message" >&"$report"
done
exit "$status"
