import os
import signal

from evidence import say

say("BLOCKED", "start", "bounded")
os.kill(os.getpid(), signal.SIGSTOP)
