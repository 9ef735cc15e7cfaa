from evidence import attempt, call

FLAGS = {"time": 0x80, "mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
         "pid": 0x20000000, "net": 0x40000000, "files": 0x400}
for name, flag in FLAGS.items():
    attempt(f"unshare_{name}", lambda: call("unshare", flag))
    # The low bits of clone are the signal at the end: a time namespace can be had from unshare and clone3 alone.
    if name not in ("files", "time"):
        attempt(f"clone_{name}", lambda: call("clone", flag | 17, 0, 0, 0, 0))
        attempt(f"clone_{name}_high_bits", lambda: call("clone", (1 << 40) | flag | 17, 0, 0, 0, 0))
