import fcntl
import os

from evidence import attempt

attempt("controlling", lambda: os.open("/dev/tty", os.O_RDWR))
for fd in (0, 1, 2, 3):
    attempt("type", lambda: fcntl.ioctl(fd, 0x5412, b"x"))
    attempt("console", lambda: fcntl.ioctl(fd, 0x541C, b"\x02"))
    attempt("high_bits", lambda: __import__("evidence").call("ioctl", fd, (1 << 32) | 0x5412, b"x"))
    attempt("take", lambda: fcntl.ioctl(fd, 0x540E, 1))
attempt("pair", lambda: os.openpty())
