import ctypes
import os

from evidence import attempt, libc

def files():
    for number in range(200000):
        os.close(os.open(f"/dev/shm/f{number}", os.O_CREAT | os.O_WRONLY))
    return number

def write():
    with open("/dev/shm/big", "wb") as file:
        while True:
            file.write(b"x" * 65536)

def segments():
    for number in range(100000):
        fd = libc.shm_open(f"/s{number}".encode(), os.O_RDWR | os.O_CREAT, 0o600)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "refused")
        os.posix_fallocate(fd, 0, 1 << 20)
        os.close(fd)
    return number

attempt("write", write)
attempt("segments", segments)
attempt("files", files)
raise SystemExit(1)
