import ctypes
import os

from evidence import attempt, call, host, read

class OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]

def open_how(path):
    how = OpenHow(os.O_RDONLY, 0, 0)
    return call("openat2", -100, path.encode(), ctypes.byref(how), ctypes.sizeof(how))

for path in ["/proc/self/cwd/../../etc/passwd", "/proc/self/root/etc/passwd", "/proc/1/cwd/etc/passwd", "/proc/1/exe", "/proc/thread-self/root/etc/shadow", "/proc/self/task/1/root/etc/passwd"]:
    attempt(path, lambda: open_how(path))
attempt("own_folder_upward", lambda: os.open("../../etc/passwd", os.O_RDONLY, dir_fd=os.open("/work/job", os.O_RDONLY)))
attempt("path_only", lambda: os.listdir(os.open("/", os.O_PATH)))
attempt("path_only_reopened", lambda: read(f"/proc/self/fd/{os.open('/etc', os.O_PATH)}/passwd"))
