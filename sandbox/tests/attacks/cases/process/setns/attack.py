import os

from evidence import attempt, call

for name in ["mnt", "net", "pid", "user", "ipc", "uts", "cgroup", "time"]:
    attempt(f"by_file_{name}", lambda: call("setns", os.open(f"/proc/1/ns/{name}", os.O_RDONLY), 0))
attempt("by_number", lambda: call("setns", call("pidfd_open", 1, 0), 0x20000))
attempt("by_nothing", lambda: call("setns", 0, 0))
