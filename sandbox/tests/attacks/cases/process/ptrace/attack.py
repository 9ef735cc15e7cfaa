import os

from evidence import attempt, call

for name, request in {"attach": 16, "seize": 0x4206, "peek": 2, "kill": 8}.items():
    attempt(f"runner_{name}", lambda: call("ptrace", request, 1, 0, 0))
    attempt(f"self_{name}", lambda: call("ptrace", request, os.getpid(), 0, 0))
attempt("be_traced", lambda: call("ptrace", 0, 0, 0, 0))
attempt("compare", lambda: call("kcmp", 1, os.getpid(), 0, 1, 1))
attempt("tracer", lambda: call("ptrace", 0x4206, os.getppid(), 0, 0))
