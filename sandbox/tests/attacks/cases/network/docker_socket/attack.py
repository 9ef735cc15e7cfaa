import os
import socket

from evidence import attempt, host

def connect(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(path)
        connection.send(b"GET /containers/json HTTP/1.0\r\n\r\n")
        return connection.recv(100)

for path in ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private", "/dev/log"]:
    attempt(path, lambda: connect(path))
attempt("listener", lambda: connect(host["socket_path"]))
os.symlink(host["socket_path"], "link")
attempt("through_link", lambda: connect("link"))
attempt("through_init", lambda: connect("/proc/1/root" + host["socket_path"]))
attempt("environment", lambda: os.environ["DOCKER_HOST"] if "DOCKER_HOST" in os.environ else connect("/docker.sock"))
