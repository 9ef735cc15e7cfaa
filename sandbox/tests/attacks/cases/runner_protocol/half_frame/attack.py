import os

from evidence import everywhere, forged_result, say

finished = forged_result()
for cut in (1, 3, 4, 5, len(finished) // 2, len(finished) - 1):
    everywhere(finished[:cut])
say("BLOCKED", "halves", "written")
os._exit(5)
