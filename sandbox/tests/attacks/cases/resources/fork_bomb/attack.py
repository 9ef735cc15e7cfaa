import os
import time

from evidence import attempt

def bomb():
    started = 0
    while started < 5000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        started += 1
    return started

attempt("bomb", bomb)
raise SystemExit(3)
