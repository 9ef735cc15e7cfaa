import os
import time

from evidence import attempt

def overwrite():
    with open("/dev/shm/victim", "r+b") as file:
        return file.write(b"forged")

def find():
    found = os.listdir("/dev/shm")
    if found:
        return found
    raise FileNotFoundError(2, "empty")

for _ in range(8):
    time.sleep(0.05)
    attempt("names", find)
    attempt("overwrite", overwrite)
    attempt("file", lambda: open("/dev/shm/victim.txt").read())
