import socket
import time

from evidence import attempt, others

def connect(address):
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as connection:
        connection.settimeout(1)
        connection.connect(address)
        return "connected"

for _ in range(8):
    time.sleep(0.05)
    attempt("file", lambda: open("/work/tmp/victim").read())
    attempt("abstract", lambda: connect("\0victim"))
    attempt("socket", lambda: connect("/work/tmp/victim.sock"))
    attempt("port", lambda: connect(("127.0.0.1", 34567)))
    attempt("process", lambda: others(3000))
