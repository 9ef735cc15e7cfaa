import ctypes
import os

from evidence import attempt, call, host, libc

def watch(path):
    fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    if libc.inotify_add_watch(fd, path.encode(), 0xFFF) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "watches"

for path in [host["secret_path"], "/etc/passwd", "/var/run", "/root", "/home"]:
    attempt(path.replace(host["secret_path"], "secret"), lambda: watch(path))
attempt("whole_mount", lambda: call("fanotify_init", 0x10, 0))
attempt("cache", lambda: call("cachestat", os.open("/usr/bin/python3", os.O_RDONLY), bytes(16), bytes(40), 0))
