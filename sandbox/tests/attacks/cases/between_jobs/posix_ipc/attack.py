import ctypes
import os

from evidence import attempt, call, libc

def answer(result):
    if result in (-1, 0, None):
        raise OSError(ctypes.get_errno(), "refused")
    return result

def find(folder):
    found = os.listdir(folder)
    if found:
        return found
    raise FileNotFoundError(2, "empty")

attempt("queue", lambda: call("mq_open", b"secret", os.O_RDWR | os.O_CREAT, 0o600, 0))
# Not created, only opened: what the other job left.
attempt("memory", lambda: answer(libc.shm_open(b"/secret", os.O_RDWR, 0)))
libc.sem_open.restype = ctypes.c_void_p
attempt("semaphore", lambda: answer(libc.sem_open(b"/secret", 0)))
attempt("folder", lambda: find("/dev/shm"))
attempt("queues", lambda: os.listdir("/dev/mqueue"))
