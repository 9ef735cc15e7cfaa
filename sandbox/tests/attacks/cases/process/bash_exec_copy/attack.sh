# shellcheck shell=bash source=sandbox/tests/attacks/cases/evidence.sh
. ./evidence.sh

cp /usr/bin/bash copy
chmod 755 copy
printf '#!/usr/bin/bash\necho ran\n' >script
chmod 755 script
attempt directly "./copy -c 'echo ran'"
attempt by_loader "/lib64/ld-linux-x86-64.so.2 ./copy -c 'echo ran'"
attempt by_exec "exec ./copy -c 'echo ran'"
attempt by_env "env -i ./copy -c 'echo ran'"
attempt script ./script
attempt by_sh "sh -c './copy -c true'"
attempt by_nice "nice ./copy -c true"
attempt by_setsid "setsid -w ./copy -c true"
attempt by_tar "tar cf all.tar script; tar xf all.tar --to-command=./copy; ./copy"
attempt builtin "enable -f ./copy nothing"
attempt runner "/promptcraft-runner serve"
attempt shell_of_others "/usr/bin/python3 -c 'print(1)'"
