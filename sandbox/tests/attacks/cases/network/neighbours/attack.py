import socket

from evidence import attempt, host

def find(address):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.2)
        try:
            connection.connect((address, host["tcp_port"]))
        except ConnectionRefusedError:
            return "somebody is there, and refuses"
        return "connected"

# Addresses that the engine gives to containers by default, where a second sandbox would be.
for last in [1, 2, 3, 4, 5, 29, 254]:
    attempt(f"address_{last}", lambda: find(f"172.17.0.{last}"))
