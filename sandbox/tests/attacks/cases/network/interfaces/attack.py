import fcntl
import socket
import struct

from evidence import attempt

def change(request, argument):
    with socket.socket(socket.AF_INET if hasattr(socket, "AF_INET") else 2, socket.SOCK_DGRAM) as handle:
        return fcntl.ioctl(handle, request, argument)

address = struct.pack("16sH2s4s8s", b"lo", socket.AF_INET, b"", socket.inet_aton("10.9.9.9"), b"")
attempt("set_address", lambda: change(0x8916, address))
attempt("set_flags", lambda: change(0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x100, b"")))
attempt("new_bridge", lambda: change(0x89A0, b"br9\0"))
attempt("new_vlan", lambda: change(0x8983, struct.pack("I24sI", 0, b"lo", 5).ljust(64, b"\0")))
attempt("add_route", lambda: change(0x890B, bytes(120)))
attempt("names", lambda: socket.if_nameindex())
