import os

from evidence import say

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

for data in (b"\xff" * 64, b"\x7f\xff\xff\xff", b"\x04\x00\x00\x01" + b"x" * 100):
    os.write(1, data + b"\n")
    os.write(2, data)
    everywhere(data)
say("BLOCKED", "lengths", "written")
os._exit(5)
