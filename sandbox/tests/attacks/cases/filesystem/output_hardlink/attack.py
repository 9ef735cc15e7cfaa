import os

from evidence import attempt

for name, target in {"passwd": "/etc/passwd", "runner": "/promptcraft-runner", "python": os.path.realpath("/usr/bin/python3"),
                     "module": os.__file__, "memory": "/proc/self/mem"}.items():
    attempt(name, lambda: os.link(target, f"/work/job/{name}") or "linked")
    attempt(f"{name}_followed", lambda: os.link(f"/proc/self/root{target}", f"/work/job/{name}2", follow_symlinks=True) or "linked")
