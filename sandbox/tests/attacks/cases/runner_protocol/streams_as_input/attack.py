import fcntl
import os

from evidence import attempt

attempt("read_stdout", lambda: os.read(1, 10))
attempt("read_stderr", lambda: os.read(2, 10))
attempt("read_report", lambda: os.read(3, 10))
attempt("write_stdin", lambda: os.write(0, b"x"))
attempt("seek", lambda: os.lseek(1, 0, 0))
for fd in (1, 2):
    # A reader that blocks or a pipe that holds one page must not matter.
    fcntl.fcntl(fd, 1031, 4096)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
os._exit(5)
