import os
import signal
import sys
import threading
import time

from evidence import host

def haunt():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        for path in ("/work/tmp/daemon", "/work/job/daemon"):
            try:
                open(path, "w").write("here")
            except OSError:
                pass

if host["level"] == "strict":
    threading.Thread(target=haunt, daemon=True).start() if False else None
elif os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2, 3):
            os.close(fd)
        haunt()
    os._exit(0)
time.sleep(0.05)
os._exit(0)
