import os

from evidence import host, say

say("BLOCKED", "start", "bounded")
while True:
    try:
        if host["level"] != "strict" and os.fork() != 0:
            os._exit(0) if os.getpid() % 2 else None
    except OSError:
        pass
