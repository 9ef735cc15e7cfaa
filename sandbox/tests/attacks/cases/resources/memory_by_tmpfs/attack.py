import os

from evidence import attempt

def fill(folder):
    for number in range(100000):
        with open(f"{folder}/big{number}", "wb") as file:
            for _ in range(64):
                file.write(b"x" * (1 << 20))
    return "no end"

attempt("work", lambda: fill("/work/job"))
attempt("temporary", lambda: fill("/tmp"))
attempt("shared", lambda: fill("/dev/shm"))
raise SystemExit(1)
