import os
import signal
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")

def deaf():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(600)

if host["level"] != "strict":
    for _ in range(10):
        if os.fork() == 0:
            os.setsid()
            deaf()
deaf()
