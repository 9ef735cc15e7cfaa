import os
import struct

from evidence import say

for stream in (0, 1, 2, 3, 255):
    for length in (0, 4, 2**32 - 1):
        os.write(1, struct.pack(">BxxxI", stream, length) + b"data\n")
        os.write(2, struct.pack(">BxxxI", stream, length) + b"data\n")
say("BLOCKED", "headers", "printed")
os._exit(5)
