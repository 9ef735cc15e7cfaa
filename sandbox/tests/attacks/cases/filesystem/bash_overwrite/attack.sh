# shellcheck shell=bash source=sandbox/tests/attacks/cases/evidence.sh
. ./evidence.sh

for path in /promptcraft-runner /usr/bin/bash /usr/bin/sh /etc/nsswitch.conf /usr/share/promptcraft/run_tests.sh; do
    attempt "write_$path" "echo x >$path"
    attempt "append_$path" "echo x >>$path"
    attempt "remove_$path" "rm -f $path"
    attempt "replace_$path" "mv -f evidence.sh $path"
    attempt "link_$path" "ln -sf /work/job/evidence.sh $path"
    attempt "open_$path" "chmod 777 $path"
done
attempt profile "echo x >/etc/profile"
attempt secret "cat $(known secret_path)"
attempt environ "cat /proc/1/environ"
attempt walk "ls -A /proc/1/root/"
