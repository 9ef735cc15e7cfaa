import ctypes
import os

from evidence import attempt, call

def run(flags):
    fd = call("memfd_create", b"program", flags)
    os.write(fd, open("/usr/bin/python3", "rb").read())
    os.execve(fd, ["program", "-c", "print('ESCAPED memory ran')"], {})

for name, flags in {"plain": 0, "executable": 0x10, "sealed": 0x2, "huge": 0x4}.items():
    attempt(name, lambda: run(flags))
attempt("secret", lambda: call("memfd_secret", 0))
attempt("unnamed", lambda: os.execve(os.open("/work/job", os.O_TMPFILE | os.O_RDWR, 0o700), ["x"], {}))
attempt("uselib", lambda: call("uselib", b"/work/job/attack.py"))
