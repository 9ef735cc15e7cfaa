import signal

from evidence import say

say("BLOCKED", "start", "bounded")
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
