import os

from evidence import attempt, call

os.mkdir("here")
for name, (kind, flags) in {"proc": (b"proc", 0), "tmpfs": (b"tmpfs", 0), "sysfs": (b"sysfs", 0), "overlay": (b"overlay", 0),
                            "bind_root": (b"", 0x1000), "remount_root": (b"", 0x20 | 0x1000), "propagate": (b"", 0x100000)}.items():
    attempt(name, lambda: call("mount", b"/", b"/" if "remount" in name else b"/work/job/here", kind, flags, 0))
attempt("unmount", lambda: call("umount2", b"/proc", 2))
attempt("unmount_work", lambda: call("umount2", b"/work", 2))
attempt("pivot", lambda: call("pivot_root", b"/work", b"/work/job"))
attempt("chroot", lambda: call("chroot", b"/work/job"))
attempt("open_tree", lambda: call("open_tree", -100, b"/", 1))
attempt("move_mount", lambda: call("move_mount", -100, b"/work", -100, b"/work/job/here", 0))
attempt("fsopen", lambda: call("fsopen", b"tmpfs", 0))
attempt("fsmount", lambda: call("fsmount", 0, 0, 0))
attempt("fspick", lambda: call("fspick", -100, b"/", 0))
attempt("mount_setattr", lambda: call("mount_setattr", -100, b"/", 0, bytes(32), 32))
attempt("statmount", lambda: call("statmount", bytes(32), bytes(512), 512, 0))
attempt("listmount", lambda: call("listmount", bytes(32), bytes(512), 64, 0))
