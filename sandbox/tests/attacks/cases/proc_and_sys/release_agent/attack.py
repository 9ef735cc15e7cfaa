import os

from evidence import attempt, call, write

for folder in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/rdma"]:
    for file in ["release_agent", "notify_on_release", "cgroup.procs", "tasks", "memory.limit_in_bytes", "memory.max", "pids.max",
                 "cpu.cfs_quota_us", "cgroup.subtree_control", "cgroup.kill"]:
        attempt(f"{folder}/{file}", lambda: write(f"{folder}/{file}", b"1"))
    attempt(f"{folder}/new", lambda: os.mkdir(f"{folder}/new") or "made")
os.mkdir("cgroup")
attempt("mount_v1", lambda: call("mount", b"cgroup", b"/work/job/cgroup", b"cgroup", 0, b"rdma"))
attempt("mount_v2", lambda: call("mount", b"cgroup", b"/work/job/cgroup", b"cgroup2", 0, 0))
