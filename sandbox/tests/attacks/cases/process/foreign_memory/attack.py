import ctypes
import os

from evidence import attempt, call

buffer = ctypes.create_string_buffer(16)

class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

own = Vector(ctypes.addressof(buffer), 16)
for name, pid in {"runner": 1, "self": os.getpid(), "parent": os.getppid()}.items():
    attempt(f"read_{name}", lambda: call("process_vm_readv", pid, ctypes.byref(own), 1, ctypes.byref(own), 1, 0))
    attempt(f"write_{name}", lambda: call("process_vm_writev", pid, ctypes.byref(own), 1, ctypes.byref(own), 1, 0))
attempt("advise", lambda: call("process_madvise", 0, ctypes.byref(own), 1, 4, 0))
attempt("release", lambda: call("process_mrelease", 0, 0))
attempt("move_pages", lambda: call("move_pages", 1, 0, 0, 0, 0, 0))
attempt("migrate_pages", lambda: call(256, 1, 64, buffer, buffer))
