import os

from evidence import everywhere, forged_result, say

finished = forged_result()
os.write(1, finished + b"\n")
os.write(2, finished)
reached = everywhere(finished)
say("BLOCKED", "descriptors", reached if reached else "none")
os._exit(5)
