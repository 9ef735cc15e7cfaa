import os
import threading
import time

from evidence import NoEffect, attempt

os.mkdir("real")
open("real/promptcraft-runner", "wb").write(b"mine")
os.mkdir("keep")
stop = False

def swap():
    while not stop:
        os.rename("real", "keep/real")
        os.symlink("/", "real")
        time.sleep(0)
        os.unlink("real")
        os.rename("keep/real", "real")

def look():
    refusal, until = NoEffect(), time.monotonic() + 0.4
    while time.monotonic() < until:
        try:
            text = open("real/promptcraft-runner", "rb").read()
        except FileNotFoundError:
            continue
        except OSError as error:
            refusal = error
            continue
        if text != b"mine":
            return f"{len(text)} bytes of the runner"
    raise refusal

thread = threading.Thread(target=swap, daemon=True)
thread.start()
attempt("swapped", look)
stop = True
thread.join()
