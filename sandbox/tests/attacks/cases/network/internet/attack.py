import socket

from evidence import attempt

def connect(family, kind, address):
    with socket.socket(family, kind) as connection:
        connection.settimeout(2)
        connection.connect(address)
        connection.send(b"x")
        return "sent"

for name, address in {"dns_server": ("8.8.8.8", 53), "web_server": ("1.1.1.1", 443), "test_net": ("192.0.2.1", 80)}.items():
    attempt(f"tcp_{name}", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, address))
    attempt(f"udp_{name}", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, address))
attempt("tcp6", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700:4700::1111", 443)))
attempt("udp6", lambda: connect(socket.AF_INET6, socket.SOCK_DGRAM, ("2606:4700:4700::1111", 53)))
attempt("name", lambda: socket.getaddrinfo("example.org", 80))
attempt("broadcast", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("255.255.255.255", 9)))
attempt("multicast", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("224.0.0.1", 9)))
