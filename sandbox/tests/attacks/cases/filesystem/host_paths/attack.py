import os

from evidence import attempt, host, read

attempt("direct", lambda: read(host["secret_path"]))
attempt("upward", lambda: read("../" * 20 + host["secret_path"]))
attempt("through_work", lambda: read("/work/../.." + host["secret_path"]))
attempt("through_proc", lambda: read("/proc/self/root" + host["secret_path"]))
attempt("through_init", lambda: read("/proc/1/root" + host["secret_path"]))
attempt("through_worker", lambda: read(f"/proc/{host['worker_pid']}/root{host['secret_path']}"))
attempt("through_device_link", lambda: read("/dev/fd/../../../.." + host["secret_path"]))
for folder in ["/", "/root", "/home", "/var/lib/docker", "/run", "/boot", "/mnt", "/media", "/srv", "/opt"]:
    attempt(folder, lambda: os.listdir(folder))
