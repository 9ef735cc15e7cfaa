import os
import time

from evidence import say

say("BLOCKED", "closing", "closed")
os.closerange(0, 256)
time.sleep(0.3)
os._exit(5)
