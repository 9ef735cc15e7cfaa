import ctypes
import os
import stat
import struct

from evidence import attempt, call

open("tool", "w").close()
capability = struct.pack("<5I", 0x02000000 | 1, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0)
for name in ["security.capability", "security.selinux", "trusted.overlay.opaque", "system.posix_acl_access"]:
    attempt(name, lambda: call("setxattr", b"tool", name.encode(), capability, len(capability), 0))
attempt("owner_root", lambda: os.chown("tool", 0, 0) or "root's")
attempt("group_root", lambda: os.chown("tool", -1, 0) or "root's")
attempt("immutable", lambda: call("ioctl", os.open("tool", os.O_RDONLY), 0x40086602, ctypes.byref(ctypes.c_int(0x10))))

def run_privileged():
    os.chmod("tool", 0o6755)
    os.execv("./tool", ["tool"])

attempt("setuid_bit", run_privileged)
