import os
import threading

from evidence import host, say

say("BLOCKED", "start", "bounded")

def eat():
    held = []
    while True:
        held.append(bytearray(b"x" * (4 << 20)))

for _ in range(8):
    if host["level"] == "strict":
        threading.Thread(target=eat, daemon=True).start()
    elif os.fork() == 0:
        eat()
eat()
