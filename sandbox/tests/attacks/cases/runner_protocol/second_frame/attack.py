import os
import time

from evidence import everywhere, forged_result, host, say

finished = forged_result()
say("BLOCKED", "second", "sent")
if host["level"] != "strict" and os.fork() == 0:
    os.setsid()
    while True:
        everywhere(finished)
        os.write(1, b"")
time.sleep(0.05)
os._exit(5)
