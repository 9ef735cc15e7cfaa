from evidence import attempt, call, say

say("BLOCKED", "before", "trying")
for name, number in {"getpid": 39, "ptrace": 521, "execve": 520, "io_uring": 425, "bpf": 321, "unshare": 272}.items():
    attempt(name, lambda: call(0x40000000 | number, 0, 0, 0, 0))
