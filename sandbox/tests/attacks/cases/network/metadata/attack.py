import socket

from evidence import attempt

def ask(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect((address, 80))
        connection.sendall(b"GET /latest/meta-data/ HTTP/1.0\r\n\r\n")
        return connection.recv(50)

for name, address in {"aws_gcp_azure": "169.254.169.254", "ecs": "169.254.170.2", "alibaba": "100.100.100.200", "oracle": "192.0.0.192"}.items():
    attempt(name, lambda: ask(socket.AF_INET, address))
attempt("aws6", lambda: ask(socket.AF_INET6, "fd00:ec2::254"))
