import mmap
import os
import time

from evidence import libc

fd = libc.shm_open(b"/victim", os.O_RDWR | os.O_CREAT, 0o666)
os.ftruncate(fd, 4096)
segment = mmap.mmap(fd, 4096)
segment[:6] = b"secret"
open("/dev/shm/victim.txt", "w").write("secret")
time.sleep(0.9)
assert segment[:6] == b"secret"
