import os

from evidence import call, libc

try:
    call("mq_open", b"secret", os.O_RDWR | os.O_CREAT, 0o666, 0)
except OSError:
    pass
assert libc.shm_open(b"/secret", os.O_RDWR | os.O_CREAT, 0o666) >= 0
assert libc.sem_open(b"/secret", os.O_CREAT, 0o666, 1)
os.mkdir("/dev/shm/closed", 0o700)
os.chmod("/dev/shm", 0o500)
