import os
import signal
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
if host["level"] != "strict":
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            while True:
                pass
while True:
    time.sleep(600)
