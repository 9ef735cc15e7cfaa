import ctypes
import socket

from evidence import attempt, call

for name, command in {"map": 0, "load": 5, "object": 7, "btf": 18, "link": 28, "token": 36}.items():
    attempt(name, lambda: call("bpf", command, bytes(128), 128))
pair = socket.socketpair()
attempt("attach", lambda: pair[0].setsockopt(socket.SOL_SOCKET, 50, 0) or "attached")
