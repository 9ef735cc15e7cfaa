"""Shared by all attacks: making attempts and reporting their results.

Prints `CONTROL ok` once it has shown that the same means do what is allowed, then a line for each attempt:
`BLOCKED name answer`, `ESCAPED name evidence`, or `BROKEN name error` for a mistake of the attack itself.
"""

import ctypes
import errno
import json
import os
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
# An address is wider than an int.
libc.syscall.restype = ctypes.c_long

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "host.json")) as known:
    host = json.load(known)

# The host finds surviving processes by this name; threads and children inherit it.
PR_SET_NAME = 15
libc.prctl(PR_SET_NAME, host["marker"].encode(), 0, 0, 0)

# Numbers of x86-64.
CALLS = {
    "mmap": 9, "ioctl": 16, "shmget": 29, "shmat": 30, "getpid": 39, "sendfile": 40, "socket": 41, "clone": 56,
    "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "semget": 64, "msgget": 68, "ptrace": 101, "syslog": 103,
    "capset": 126, "uselib": 134, "personality": 135, "modify_ldt": 154, "pivot_root": 155, "prctl": 157,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176,
    "quotactl": 179, "setxattr": 188, "lookup_dcookie": 212, "clock_settime": 227, "mq_open": 240,
    "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "splice": 275,
    "vmsplice": 278, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "seccomp": 317, "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "execveat": 322,
    "userfaultfd": 323, "pkey_alloc": 330, "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448, "cachestat": 451,
    "map_shadow_stack": 453, "statmount": 457, "listmount": 458, "lsm_set_self_attr": 460,
}


class NoEffect(Exception):
    """The kernel returned success without an effect."""


def say(word, name, what):
    line = " ".join(str(what).split())[:300]
    os.write(1, f"{word} {name} {line}\n".encode())


def attempt(name, action):
    """Runs the action; a result other than None counts as an escape."""
    try:
        won = action()
    except OSError as error:
        say("BLOCKED", name, errno.errorcode.get(error.errno, type(error).__name__))
    except (NameError, TypeError, AttributeError, SyntaxError, ImportError, KeyError, IndexError) as error:
        say("BROKEN", name, repr(error))
    except Exception as error:
        say("BLOCKED", name, type(error).__name__)
    else:
        say("ESCAPED", name, won)
        return won
    return None


def call(number, *arguments):
    """Makes a system call by name or number; raises the kernel's error."""
    number = CALLS.get(number, number)
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def read(path, count=100):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(fd, count)
    finally:
        os.close(fd)


def write(path, data=b"x", flags=os.O_WRONLY):
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        return f"wrote {os.write(fd, data)} bytes"
    finally:
        os.close(fd)


def others(below):
    """Returns the other processes, by trying every pid below a bound."""
    seen = []
    for number in range(2, below):
        if number != os.getpid():
            try:
                os.kill(number, 0)
                seen.append(number)
            except PermissionError:
                seen.append(number)
            except ProcessLookupError:
                pass
    if seen:
        return seen
    raise ProcessLookupError(errno.ESRCH, "nobody")


def everywhere(data):
    """Writes to every descriptor that could lead to the host; only the process's own three exist."""
    reached = []
    for fd in range(3, 256):
        try:
            os.write(fd, data)
            reached.append(fd)
        except OSError:
            pass
    return reached


def pack(value):
    """Encodes the MessagePack types that a result needs."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())


def forged_result():
    """Returns a result frame like the runner's, with content of the attacker."""
    payload = pack({"finished": {
        "exit_code": 0, "signal": None, "wall_exceeded": False, "cpu_exceeded": False, "cancelled": False, "disk_full": False,
        "stdout": b"forged", "stderr": b"", "truncated": False, "report": b"", "wall_ms": 1, "cpu_ms": 1,
        "max_rss_bytes": 1, "oom_kills": 0, "pids_refused": 0}})
    return struct.pack(">I", len(payload)) + payload


def control():
    assert call("getpid") == os.getpid()
    assert read(os.path.join(os.getcwd(), "host.json"), 1) == b"{"
    write("control", b"x", os.O_WRONLY | os.O_CREAT)
    os.unlink("control")
    os.write(1, b"CONTROL ok\n")


if "PYTEST_VERSION" not in os.environ and "pytest" not in sys.modules:
    control()
