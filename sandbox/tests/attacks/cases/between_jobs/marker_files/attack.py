import os

from evidence import attempt, host

own = {"attack.py", "leave.py", "evidence.py", "host.json", "__pycache__"}

def find(folder):
    found = [name for name in os.listdir(folder) if name not in own]
    if found:
        return found
    raise FileNotFoundError(2, "empty")

for folder in ["/work/job", "/work/tmp", "/tmp", "/dev/shm"]:
    attempt(folder, lambda: find(folder))
attempt("work", lambda: [name for name in os.listdir("/work") if name not in ("job", "tmp", "shm")][0:] or find("/work/none"))
for path in ["/work/left", "/dev/shm/left", "/var/tmp/left", "/run/left"]:
    attempt(path, lambda: open(path).read())
