import os

from evidence import everywhere, say

for data in (b"\xff" * 64, b"\x7f\xff\xff\xff", b"\x04\x00\x00\x01" + b"x" * 100):
    os.write(1, data + b"\n")
    os.write(2, data)
    everywhere(data)
say("BLOCKED", "lengths", "written")
os._exit(5)
