import os

from evidence import call, libc

try:
    call("mq_open", b"secret", os.O_RDWR | os.O_CREAT, 0o666, 0)
except OSError:
    pass
libc.shm_open(b"/secret", os.O_RDWR | os.O_CREAT, 0o666)
