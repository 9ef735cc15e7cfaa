import os
import struct

from evidence import attempt, call

handle = struct.pack("<Ii", 8, 1) + struct.pack("<II", 2, 0)
for name, folder in {"work": "/work", "root": "/", "python": "/usr/bin/python3"}.items():
    attempt(f"open_{name}", lambda: call("open_by_handle_at", os.open(folder, os.O_PATH), handle, os.O_RDONLY))
    attempt(f"name_{name}", lambda: call("name_to_handle_at", -100, folder.encode(), bytearray(136) and bytes(136), bytes(4), 0))
