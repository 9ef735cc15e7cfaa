import os

from evidence import attempt, read, write

# The files that an engine mounts into every container, and the places of its secrets.
FILES = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/.dockerenv", "/run/secrets/worker",
         "/var/run/secrets/kubernetes.io/serviceaccount/token", "/dev/termination-log"]
OWN = {b"127.0.0.1 localhost", b"127.0.0.1 sandbox"}

def foreign(path):
    lines = read(path, 4096).splitlines()
    found = [line for line in lines if line not in OWN]
    if path == "/etc/hosts" and not found:
        raise FileNotFoundError(2, "only the sandbox's own names")
    return found or lines

for path in FILES:
    attempt(f"read_{path}", lambda: foreign(path))
    attempt(f"write_{path}", lambda: write(path, b"192.0.2.1 broker\n", os.O_WRONLY | os.O_APPEND | os.O_CREAT))
for folder in ["/dev/mqueue", "/dev/pts", "/run/secrets", "/srv", "/data"]:
    attempt(f"list_{folder}", lambda: os.listdir(folder))
    attempt(f"fill_{folder}", lambda: write(f"{folder}/new", b"x", os.O_WRONLY | os.O_CREAT))
