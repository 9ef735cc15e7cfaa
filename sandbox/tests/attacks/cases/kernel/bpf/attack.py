import ctypes
import os
import socket
import struct

from evidence import attempt, call

for name, command in {"map": 0, "load": 5, "object": 7, "btf": 18, "link": 28, "token": 36}.items():
    attempt(name, lambda: call("bpf", command, bytes(128), 128))

# One instruction: take the whole packet.
program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF), 8)
classic = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
of_a_descriptor = struct.pack("i", os.open("/dev/null", os.O_RDONLY))

def attach(option, value):
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pair[0].setsockopt(socket.SOL_SOCKET, option, value)
    return "attached"

attempt("attach_filter", lambda: attach(26, classic))
attempt("attach_bpf", lambda: attach(50, of_a_descriptor))
attempt("attach_group_filter", lambda: attach(51, classic))
attempt("attach_group_bpf", lambda: attach(52, of_a_descriptor))
