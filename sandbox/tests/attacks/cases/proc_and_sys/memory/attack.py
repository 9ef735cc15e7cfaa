import os

from evidence import attempt, read, write

for path in ["/proc/1/mem", "/proc/self/mem", "/proc/1/maps", "/proc/self/maps", "/proc/1/pagemap", "/proc/kcore", "/proc/kallsyms",
             "/proc/kmsg", "/proc/vmallocinfo", "/proc/iomem", "/dev/mem", "/dev/kmem", "/proc/1/stack", "/proc/1/syscall",
             "/proc/1/auxv", "/proc/kpageflags", "/proc/slabinfo"]:
    attempt(path, lambda: read(path))
for path in ["/proc/1/mem", "/proc/self/mem", "/proc/1/clear_refs", "/proc/1/coredump_filter"]:
    attempt(f"write{path}", lambda: write(path))
