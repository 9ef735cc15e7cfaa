import ctypes

from evidence import attempt, call

class Arguments(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack",
                                                      "stack_size", "tls", "set_tid", "set_tid_size", "cgroup")]

for name, flags in {"plain": 0, "user": 0x10000000, "into_cgroup": 0x200000000, "clear_handlers": 0x100000000}.items():
    attempt(name, lambda: call("clone3", ctypes.byref(Arguments(flags=flags, exit_signal=17)), ctypes.sizeof(Arguments)))
