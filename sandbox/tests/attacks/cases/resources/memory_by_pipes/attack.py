import fcntl
import os
import socket

from evidence import attempt

def pipes():
    held = []
    while True:
        reader, writer = os.pipe2(os.O_NONBLOCK)
        held.append((reader, writer))
        try:
            fcntl.fcntl(writer, 1031, 64 << 20)
        except PermissionError:
            pass
        try:
            while True:
                os.write(writer, b"x" * 65536)
        except BlockingIOError:
            pass

def sockets():
    held = []
    while True:
        pair = socket.socketpair()
        held.append(pair)
        pair[0].setblocking(False)
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        try:
            while True:
                pair[0].send(b"x" * 65536)
        except BlockingIOError:
            pass

attempt("pipes", pipes)
attempt("sockets", sockets)
