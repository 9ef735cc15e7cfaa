import os

from evidence import attempt, write

for path in ["/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf"]:
    attempt(f"write_{path}", lambda: write(path, b"192.0.2.1 localhost\n", os.O_WRONLY | os.O_APPEND))
    attempt(f"remove_{path}", lambda: os.unlink(path) or "removed")
    attempt(f"replace_{path}", lambda: os.rename("host.json", path) or "replaced")
    attempt(f"mode_{path}", lambda: os.chmod(path, 0o666) or "opened")
attempt("resolver", lambda: write("/etc/resolv.conf", b"nameserver 127.0.0.1\n", os.O_WRONLY | os.O_CREAT))
