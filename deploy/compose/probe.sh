#!/bin/bash
# Succeeds if http://127.0.0.1:PORT/PATH answers 200, and prints the answer's body otherwise: probe PORT PATH
set -u
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r -t 4 _ status _ <&3 || exit 1
[ "$status" = 200 ] && exit 0
timeout 2 cat <&3
exit 1
