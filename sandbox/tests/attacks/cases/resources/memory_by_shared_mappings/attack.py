import mmap

from evidence import attempt, call

attempt("memory_file", lambda: call("memfd_create", b"x", 0))
attempt("system_v", lambda: call("shmget", 0, 1 << 30, 0o1600))
attempt("huge_pages", lambda: mmap.mmap(-1, 2 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | 0x40000))
held = []
while True:
    held.append(mmap.mmap(-1, 16 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
    for page in range(0, 16 << 20, 4096):
        held[-1][page] = 1
