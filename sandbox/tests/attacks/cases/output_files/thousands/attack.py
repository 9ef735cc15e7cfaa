import os

from evidence import say

say("BLOCKED", "leave", "bounded")
os.mkdir("outputs")
made = 0
try:
    for number in range(100_000):
        if number % 2:
            os.mkdir(f"outputs/{number:05}")
        else:
            open(f"outputs/{number:05}", "w").close()
        made += 1
except OSError:
    pass
assert made > 1000
