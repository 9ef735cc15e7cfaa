import os

from evidence import attempt

def replace_with_pipe(name):
    if os.path.exists(name):
        os.unlink(name)
    os.mkfifo(name)

for name in ["attack.py", "junit.xml", "report", "out", "host.json", "evidence.py"]:
    replace_with_pipe(name)
os.mkfifo("/work/tmp/pipe")

def stall():
    # A collector of output files would open one of them now; there is none.
    os.open("out", os.O_WRONLY | os.O_NONBLOCK)
    return "a reader came"

attempt("reader", stall)
