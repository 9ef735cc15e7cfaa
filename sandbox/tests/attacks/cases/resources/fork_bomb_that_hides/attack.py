import os

from evidence import say

say("BLOCKED", "start", "bounded")
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
    except OSError:
        pass
