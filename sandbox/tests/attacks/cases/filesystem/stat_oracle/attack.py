import os

from evidence import attempt, host

for path in [host["secret_path"], "/root/.ssh", "/var/run/docker.sock", "/home", f"/proc/{host['worker_pid']}",
             "/sys/fs/cgroup/system.slice", "/var/lib/docker", "/boot/vmlinuz"]:
    name = path.replace(host["secret_path"], "secret").replace(str(host["worker_pid"]), "WORKER")
    attempt(name, lambda: os.stat(path))
