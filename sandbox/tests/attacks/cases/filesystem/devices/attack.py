import os
import stat

from evidence import attempt, read, write

nodes = {"mem": (stat.S_IFCHR, 1, 1), "null": (stat.S_IFCHR, 1, 3), "kmsg": (stat.S_IFCHR, 1, 11), "disk": (stat.S_IFBLK, 8, 0),
         "virtual_disk": (stat.S_IFBLK, 254, 0), "fuse": (stat.S_IFCHR, 10, 229), "kvm": (stat.S_IFCHR, 10, 232)}
for name, (kind, major, minor) in nodes.items():
    attempt(f"make_{name}", lambda: os.mknod(f"/work/job/{name}", kind | 0o666, os.makedev(major, minor)) or "made")
for path in ["/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm", "/dev/tty",
             "/dev/ptmx", "/dev/console", "/dev/net/tun", "/dev/loop0", "/dev/loop-control"]:
    attempt(path, lambda: read(path, 1))
for path in ["/dev/zero", "/dev/random", "/dev/urandom"]:
    attempt(f"write{path}", lambda: write(path))
