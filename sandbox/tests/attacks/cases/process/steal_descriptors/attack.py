import os
import socket

from evidence import attempt, call

def inherited():
    # 0 to 2 are our own pipes, 3 is the report; nothing else may be open at the start.
    found = []
    for number in range(4, 1024):
        try:
            os.fstat(number)
            found.append((number, os.readlink(f"/proc/self/fd/{number}") if os.access("/proc/self/fd", os.R_OK) else "?"))
        except OSError:
            pass
    if found:
        return found
    raise OSError(9, "none")

attempt("inherited", inherited)
for number in range(0, 12):
    attempt("get", lambda: call("pidfd_getfd", call("pidfd_open", 1, 0), number, 0))
