import socket
import threading

from evidence import attempt, host

def scan():
    found = []
    for last in range(1, 30):
        connection = None
        try:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            connection.settimeout(0.2)
            connection.connect((f"172.17.0.{last}", host["tcp_port"]))
            found.append(last)
        except OSError:
            pass
        finally:
            if connection is not None:
                connection.close()
    if found:
        return found
    raise OSError(101, "nobody")

attempt("subnet", scan)
