import os

from evidence import attempt

def grow(size):
    fd = os.open("sparse", os.O_WRONLY | os.O_CREAT)
    try:
        os.posix_fallocate(fd, 0, size)
        return os.fstat(fd).st_blocks
    finally:
        os.close(fd)

def sparse():
    with open("holes", "wb") as file:
        file.truncate(1 << 40)
    return "a terabyte"

import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
attempt("reserve", lambda: grow(1 << 34))
attempt("sparse", sparse)

def write():
    with open("big", "wb") as file:
        while True:
            file.write(b"x" * 65536)

attempt("write", write)
raise SystemExit(1)
