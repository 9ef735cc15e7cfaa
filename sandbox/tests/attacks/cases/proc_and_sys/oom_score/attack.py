from evidence import attempt, write

for path in ["/proc/self/oom_score_adj", "/proc/self/oom_adj", "/proc/1/oom_score_adj", "/proc/thread-self/oom_score_adj"]:
    attempt(path, lambda: write(path, b"-1000"))
    attempt(f"{path}_high", lambda: write(path, b"1000"))
