import os
import threading

from evidence import host, say

say("BLOCKED", "start", "bounded")

def spin():
    while True:
        pass

for _ in range(20):
    if host["level"] == "strict":
        threading.Thread(target=spin, daemon=True).start()
    elif os.fork() == 0:
        spin()
spin()
