# shellcheck shell=bash
# Shared by the attacks in Bash; see evidence.py. An answer is the text after the last colon of a command's last line.

attempt() { # name line
    local said
    if said="$(eval "$2" 2>&1)"; then
        printf 'ESCAPED %s %s\n' "$1" "${said//$'\n'/ }"
    else
        said="${said##*: }"
        printf 'BLOCKED %s %s\n' "$1" "${said// /_}"
    fi
}

control() {
    [ "$(bash -c 'echo ran')" = ran ] && [ "$(head -c 1 host.json)" = "{" ] && : >control && rm control && echo "CONTROL ok"
}

known() { # key
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" host.json
}

control
