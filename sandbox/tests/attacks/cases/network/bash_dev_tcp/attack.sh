# shellcheck shell=bash source=sandbox/tests/attacks/cases/evidence.sh
. ./evidence.sh

port="$(known tcp_port)"
for address in 127.0.0.1 172.17.0.1 169.254.169.254 8.8.8.8 ::1; do
    attempt "tcp_$address" "exec 9<>/dev/tcp/$address/$port"
done
for address in 172.17.0.1 8.8.8.8; do
    attempt "udp_$address" "exec 9>/dev/udp/$address/53 && echo x >&9"
done
