import os
import resource
import select
import socket

from evidence import attempt

def repeat(action):
    held = []
    for _ in range(1000):
        held.append(action())
    return len(held)

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
attempt("files", lambda: repeat(lambda: open("/dev/null")))
attempt("pipes", lambda: repeat(os.pipe))
attempt("sockets", lambda: repeat(socket.socketpair))
attempt("events", lambda: repeat(select.epoll))
attempt("duplicate_high", lambda: os.dup2(1, 100000))
