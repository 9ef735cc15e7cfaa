import os
from multiprocessing import shared_memory

from evidence import attempt

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
        segment = shared_memory.SharedMemory(f"s{number}", create=True, size=1 << 20)
        # Reserves the pages; a write to a missing one would be a signal.
        os.posix_fallocate(segment._fd, 0, segment.size)
    return number

attempt("write", write)
attempt("segments", segments)
attempt("files", files)
raise SystemExit(1)
