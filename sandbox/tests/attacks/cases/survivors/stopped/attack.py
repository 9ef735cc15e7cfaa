import os
import signal
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
if host["level"] != "strict":
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(600)
    time.sleep(0.1)
os._exit(0)
