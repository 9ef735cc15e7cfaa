import struct

from evidence import attempt, call

attribute = struct.pack("<IIQ", 1, 112, 0).ljust(112, b"\0")
for name, pid in {"self": 0, "all": -1, "runner": 1}.items():
    attempt(name, lambda: call("perf_event_open", attribute, pid, 0 if pid < 0 else -1, -1, 0))
