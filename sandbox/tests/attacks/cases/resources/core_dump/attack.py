import os

from evidence import say

say("BLOCKED", "start", "bounded")
held = b"x" * (100 << 20)
os.abort()
