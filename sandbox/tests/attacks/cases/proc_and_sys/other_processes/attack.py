import os

from evidence import attempt, host

def signal_somebody():
    seen = []
    for number in range(2, 5000):
        if number == os.getpid():
            continue
        try:
            os.kill(number, 0)
            seen.append(number)
        except ProcessLookupError:
            pass
        except PermissionError:
            seen.append(number)
    if seen:
        return seen
    raise ProcessLookupError(3, "nobody")

attempt("list", lambda: [name for name in os.listdir("/proc") if name.isdigit()])
attempt("worker", lambda: os.kill(host["worker_pid"], 0) or "it lives")
attempt("anybody", signal_somebody)
attempt("worker_group", lambda: os.getpgid(host["worker_pid"]))
attempt("worker_priority", lambda: os.getpriority(os.PRIO_PROCESS, host["worker_pid"]))
attempt("worker_affinity", lambda: os.sched_getaffinity(host["worker_pid"]))
