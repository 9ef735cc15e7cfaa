from evidence import attempt, call

for key in (0x5EC2E7, 1, 2):
    attempt("memory", lambda: call("shmget", key, 4096, 0o600))
    attempt("queue", lambda: call("msgget", key, 0o600))
    attempt("semaphore", lambda: call("semget", key, 1, 0o600))
attempt("new_memory", lambda: call("shmget", 0, 4096, 0o1600))
attempt("attach", lambda: call("shmat", 0, 0, 0))
