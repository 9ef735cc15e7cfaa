import os
import socket

from evidence import say

say("BLOCKED", "leave", "bounded")
os.mkdir("outputs")
# Opening it would wait for a writer.
os.mkfifo("outputs/pipe")
server = socket.socket(socket.AF_UNIX)
server.bind("outputs/socket")
for name, kind in [("null", 0o020000), ("disk", 0o060000)]:
    try:
        os.mknod(f"outputs/{name}", kind | 0o666, os.makedev(1, 3))
    except OSError:
        pass
