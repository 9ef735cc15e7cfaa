import os
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
while True:
    # Each ends before a limit on one process could notice it.
    if host["level"] == "strict" or os.fork() == 0:
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        if host["level"] != "strict":
            os._exit(0)
    else:
        os.wait()
