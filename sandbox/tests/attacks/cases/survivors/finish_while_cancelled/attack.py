import os
import time

from evidence import host, say

say("BLOCKED", "start", "bounded")
if host["level"] != "strict" and os.fork() == 0:
    os.setsid()
    time.sleep(600)
time.sleep(0.006)
os._exit(0)
