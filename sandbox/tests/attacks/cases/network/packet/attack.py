import socket

from evidence import attempt

attempt("all_frames", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
attempt("cooked_frames", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
attempt("raw_icmp", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("raw_any", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255))
attempt("raw_icmp6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58))
attempt("ping", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).sendto(b"\x08" + bytes(7), ("127.0.0.1", 0)))
