import os
import subprocess

from evidence import attempt

def start(path):
    subprocess.run([path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=5)
    return "started"

for path in ["/bin/sh", "/bin/bash", "/usr/bin/env", "/usr/bin/perl", "/bin/busybox", "/usr/bin/curl", "/bin/mount", "/usr/bin/su",
             "/promptcraft-runner", "/usr/sbin/ldconfig", "/sbin/init", "/usr/bin/bwrap", "/usr/bin/docker"]:
    attempt(path, lambda: start(path))
open("script", "w").write("#!/usr/bin/python3\nprint('ran')\n")
os.chmod("script", 0o755)
attempt("own_script", lambda: start("./script"))

def shell():
    status = os.system("true")
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 127:
        return f"a shell ran: {status}"
    raise FileNotFoundError(2, "no shell")

attempt("shell", shell)
