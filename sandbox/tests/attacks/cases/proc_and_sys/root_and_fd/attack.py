import os

from evidence import attempt, read, write

for number in ["1", "2", "self", "thread-self"]:
    for entry in ["root", "cwd/../..", "fd", "fdinfo", "ns", "map_files", "task"]:
        attempt(f"{number}_{entry}", lambda: os.listdir(f"/proc/{number}/{entry}"))
for number in range(0, 10):
    attempt(f"runner_fd_{number}", lambda: write(f"/proc/1/fd/{number}"))
for name in ["mnt", "net", "pid", "user", "ipc", "uts", "cgroup"]:
    attempt(f"namespace_{name}", lambda: os.open(f"/proc/1/ns/{name}", os.O_RDONLY))
