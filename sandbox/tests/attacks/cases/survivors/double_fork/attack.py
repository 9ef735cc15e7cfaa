import os
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
if host["level"] != "strict":
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/work")
            for fd in range(0, 10):
                try:
                    os.close(fd)
                except OSError:
                    pass
            time.sleep(600)
        os._exit(0)
os._exit(0)
