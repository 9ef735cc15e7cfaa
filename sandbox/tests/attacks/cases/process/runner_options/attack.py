import os
import resource

from evidence import attempt, call

attempt("runner_files", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3)))
attempt("runner_cpu", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)))
attempt("runner_limits", lambda: resource.prlimit(1, resource.RLIMIT_CPU))
attempt("runner_priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19) or "lowered")
attempt("user_priority", lambda: os.setpriority(os.PRIO_USER, 0, 19) or "lowered")
attempt("group_priority", lambda: os.setpriority(os.PRIO_PGRP, 1, 19) or "lowered")
attempt("runner_affinity", lambda: os.sched_setaffinity(1, {0}) or "bound")
attempt("realtime", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) or "real time")
attempt("nice", lambda: os.nice(-5))
attempt("deadline", lambda: call(314, 0, bytes([48, 0, 0, 0, 6] + [0] * 43), 0))
for name in ["CPU", "FSIZE", "NOFILE", "CORE", "MEMLOCK", "MSGQUEUE"]:
    kind = getattr(resource, f"RLIMIT_{name}", 12)
    soft, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY:
        print("ESCAPED", name, "is not limited")
    attempt(f"raise_{name}", lambda: resource.setrlimit(kind, (hard + 1, hard + 1)) or "raised")
attempt("memory_lock", lambda: call(151, 1))
attempt("io_priority", lambda: call(251, 1, 1, 0x2000))
