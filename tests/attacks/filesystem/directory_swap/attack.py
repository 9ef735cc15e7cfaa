import os
import threading
import time

from evidence import attempt

os.mkdir("real")
open("real/passwd", "w").write("mine")
os.mkdir("keep")
stop = False

def swap():
    while not stop:
        os.rename("real", "keep/real")
        os.symlink("/etc", "real")
        os.unlink("real")
        os.rename("keep/real", "real")

def look():
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        try:
            text = open("real/passwd").read()
        except OSError:
            continue
        if text != "mine":
            return text
    raise PermissionError(13, "never")

thread = threading.Thread(target=swap, daemon=True)
thread.start()
attempt("swapped", look)
stop = True
thread.join()
