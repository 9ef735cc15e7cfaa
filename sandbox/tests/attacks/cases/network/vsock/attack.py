import socket

from evidence import attempt

def connect(kind, cid):
    with socket.socket(socket.AF_VSOCK, kind) as connection:
        connection.settimeout(2)
        connection.connect((cid, 1024))
        return "connected"

for name, cid in {"hypervisor": 0, "local": 1, "host": 2, "guest": 3}.items():
    attempt(f"stream_{name}", lambda: connect(socket.SOCK_STREAM, cid))
    attempt(f"datagram_{name}", lambda: connect(socket.SOCK_DGRAM, cid))
