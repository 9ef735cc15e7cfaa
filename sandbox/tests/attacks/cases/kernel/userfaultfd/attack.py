from evidence import attempt, call

for name, flags in {"plain": 0, "user_only": 1, "nonblocking": 0o4000}.items():
    attempt(name, lambda: call("userfaultfd", flags))
attempt("device", lambda: open("/dev/userfaultfd"))
