import os

from evidence import attempt, call, libc
import ctypes

def answer(result):
    if result in (-1, 0, None):
        raise OSError(ctypes.get_errno(), "refused")
    return result

attempt("queue", lambda: call("mq_open", b"secret", os.O_RDWR | os.O_CREAT, 0o600, 0))
attempt("memory", lambda: answer(libc.shm_open(b"/secret", os.O_RDWR | os.O_CREAT, 0o600)))
libc.sem_open.restype = ctypes.c_void_p
attempt("semaphore", lambda: answer(libc.sem_open(b"/secret", os.O_CREAT, 0o600, 1)))
attempt("folder", lambda: os.listdir("/dev/shm"))
attempt("queues", lambda: os.listdir("/dev/mqueue"))
