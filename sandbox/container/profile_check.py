"""Makes system calls under the container's seccomp profile and compares the answers.

Runs in the container itself, outside of every sandbox, as a worker does.
"""

import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEW_USER_NAMESPACE = 0x10000000
SIGCHLD = 17

# Numbers of x86-64 with arguments that have no effect.
REFUSED = {
    "acct": (163, 0), "add_key": (248, 0, 0, 0, 0, 0), "bpf": (321, 0, 0, 0), "chroot": (161, b"/"),
    "clock_settime": (227, 0, 0), "delete_module": (176, b"x", 0), "fsopen": (430, b"tmpfs", 0),
    "init_module": (175, 0, 0, 0), "io_uring_setup": (425, 1, 0), "kcmp": (312, 1, 1, 0, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0), "keyctl": (250, 0, 0), "mknodat_by_handle": (304, -100, 0, 0),
    "mount_setattr": (442, -100, b"/", 0, 0, 0), "move_mount": (429, -100, b"/", -100, b"/", 0),
    "open_tree": (428, -100, b"/", 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "personality": (135, -1),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "ptrace": (101, 0, 0, 0, 0), "reboot": (169, 0, 0, 0),
    "setns": (308, 0, 0), "socket_alg": (41, 38, 5, 0), "socket_packet": (41, 17, 3, 0), "socket_vsock": (41, 40, 1, 0),
    "swapon": (167, b"/", 0), "syslog": (103, 3, 0, 0), "unshare": (272, NEW_USER_NAMESPACE), "userfaultfd": (323, 1),
}


def call(*words):
    result = libc.syscall(*[ctypes.c_long(word) if isinstance(word, int) else word for word in words])
    return result, errno.errorcode.get(ctypes.get_errno()) if result < 0 else None


wrong = [f"{name}: {answer}" for name, words in REFUSED.items() if (answer := call(*words)) != (-1, "EPERM")]
# Without arguments the kernel itself would say EINVAL or EFAULT.
if (answer := call(435, 0, 0)) != (-1, "ENOSYS"):
    wrong.append(f"clone3: {answer}")
child, error = call(56, NEW_USER_NAMESPACE | SIGCHLD, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
if child < 0:
    wrong.append(f"clone with a user namespace: {error}")
else:
    os.waitpid(child, 0)
status = open("/proc/self/status").read()
for line in ("NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "Seccomp:\t2"):
    if line not in status:
        wrong.append(f"/proc/self/status lacks {line!r}")
if os.getuid() == 0:
    wrong.append("runs as root")
if wrong:
    sys.exit("The seccomp profile of the container: " + "; ".join(wrong))
print(f"The profile refuses {len(REFUSED) + 1} calls and allows a new user namespace")
