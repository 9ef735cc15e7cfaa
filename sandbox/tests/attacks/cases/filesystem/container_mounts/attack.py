import os

from evidence import attempt, read, write

# The files that an engine mounts into every container, and the places of its secrets.
FILES = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/.dockerenv", "/run/secrets/worker",
         "/var/run/secrets/kubernetes.io/serviceaccount/token", "/dev/termination-log"]
for path in FILES:
    attempt(f"read_{path}", lambda: read(path))
    attempt(f"write_{path}", lambda: write(path, b"192.0.2.1 broker\n", os.O_WRONLY | os.O_APPEND | os.O_CREAT))
for folder in ["/dev/shm", "/dev/mqueue", "/dev/pts", "/run/secrets", "/srv", "/data"]:
    attempt(f"list_{folder}", lambda: os.listdir(folder))
    attempt(f"fill_{folder}", lambda: write(f"{folder}/new", b"x", os.O_WRONLY | os.O_CREAT))
