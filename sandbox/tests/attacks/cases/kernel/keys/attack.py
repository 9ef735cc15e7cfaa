from evidence import attempt, call

attempt("add", lambda: call("add_key", b"user", b"name", b"secret", 6, -3))
attempt("request", lambda: call("request_key", b"user", b"name", 0, -3))
for name, operation in {"own_ring": 0, "join": 1, "read": 11, "session": 18, "persistent": 22, "move": 30}.items():
    attempt(name, lambda: call("keyctl", operation, -3, 0, 0, 0))
