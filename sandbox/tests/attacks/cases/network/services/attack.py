import socket

from evidence import attempt, host

def connect(address, port):
    with socket.create_connection((address, port), timeout=2) as connection:
        connection.send(b"PING\r\n")
        return "connected"

ports = {"nats": 4222, "nats_monitor": 8222, "redis": 6379, "api": 8000, "docker": 2375, "ssh": 22, "listener": host["tcp_port"]}
for number, address in enumerate([*host["addresses"], "0.0.0.0", "::1", "::ffff:127.0.0.1", "172.17.0.2"]):
    for name, port in ports.items():
        attempt(f"{name}", lambda: connect(address, port))
for name in ["localhost", "nats", "redis", "api", "host.docker.internal", "gateway.docker.internal", "sandbox"]:
    attempt(f"by_name_{name}", lambda: connect(name, host["tcp_port"]))
