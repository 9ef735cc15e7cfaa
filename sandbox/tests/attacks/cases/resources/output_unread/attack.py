import os
import signal
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
if host["level"] == "strict" or os.fork():
    os._exit(0)
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
os.setsid()
while True:
    os.write(1, b"more")
    time.sleep(0.001)
