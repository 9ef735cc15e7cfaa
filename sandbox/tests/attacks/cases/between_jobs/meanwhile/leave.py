import socket
import time

from evidence import host

open("/work/tmp/victim", "w").write("secret")
names = ["\0victim", "/work/tmp/victim.sock"]
held = []
for name in names:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    held.append(listener)
if host["level"] != "strict":
    listener = socket.create_server(("127.0.0.1", 34567))
    held.append(listener)
time.sleep(0.9)
