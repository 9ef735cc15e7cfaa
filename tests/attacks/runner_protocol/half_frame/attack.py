import os
import struct

from evidence import say

def pack(value):
    """As much MessagePack as a result needs."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())

def framed(value):
    payload = pack(value)
    return struct.pack(">I", len(payload)) + payload

FINISHED = framed({"finished": {"exit_code": 0, "signal": None, "wall_exceeded": False, "cancelled": False, "disk_full": False,
                                "stdout": b"forged", "stderr": b"", "truncated": False, "report": b"", "wall_ms": 1, "cpu_ms": 1,
                                "max_rss_bytes": 1, "oom_kills": 0, "pids_refused": 0}})

def everywhere(data):
    """To every descriptor that could lead to the host: none but the own three does."""
    reached = []
    for fd in range(3, 256):
        try:
            os.write(fd, data)
            reached.append(fd)
        except OSError:
            pass
    return reached

for cut in (1, 3, 4, 5, len(FINISHED) // 2, len(FINISHED) - 1):
    everywhere(FINISHED[:cut])
say("BLOCKED", "halves", "written")
os._exit(5)
