import threading
import time

from evidence import attempt

def bomb():
    for number in range(5000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return number

attempt("threads", bomb)
import os
os._exit(3)
