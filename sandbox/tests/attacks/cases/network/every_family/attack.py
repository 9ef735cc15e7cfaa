import socket

from evidence import attempt, host

ALLOWED = {socket.AF_UNIX} if host["level"] == "strict" else {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}

def sweep():
    opened = []
    for family in range(0, 64):
        for kind in (1, 2, 3, 4, 5, 6, 10):
            for protocol in (0, 1, 132, 255):
                try:
                    socket.socket(family, kind, protocol).close()
                except OSError:
                    continue
                if family not in ALLOWED:
                    opened.append((family, kind, protocol))
    if opened:
        return opened
    raise PermissionError(1, "none")

def sweep_pairs():
    opened = []
    for family in range(2, 64):
        for kind in (1, 2, 3, 5):
            try:
                socket.socketpair(family, kind)
                opened.append((family, kind))
            except OSError:
                pass
    if opened:
        return opened
    raise PermissionError(1, "none")

attempt("sockets", sweep)
attempt("pairs", sweep_pairs)
attempt("truncated_family", lambda: __import__("evidence").call("socket", (1 << 32) | 16, 3, 0))
attempt("truncated_pair", lambda: __import__("evidence").call("socket", (1 << 40) | 40, 1, 0))
