import os
import socket

from evidence import NoEffect, attempt, read

def unless_ours(name):
    if name in ("sandbox", "(none)", ""):
        raise NoEffect
    return name

def path_of_cgroup():
    paths = [line.split(":", 2)[2] for line in read("/proc/self/cgroup", 4000).decode().split()]
    if all(path == "/" for path in paths):
        raise NoEffect
    return paths

attempt("host", lambda: unless_ours(os.uname().nodename))
attempt("host_by_library", lambda: unless_ours(socket.gethostname()))
attempt("domain", lambda: unless_ours(read("/proc/sys/kernel/domainname").decode().strip()))
attempt("cgroup", path_of_cgroup)
