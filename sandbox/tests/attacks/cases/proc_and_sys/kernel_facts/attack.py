from evidence import NoEffect, attempt, read

def tell(path):
    # The engine lays an empty file over some of them.
    text = read(path)
    if not text:
        raise NoEffect
    return text

for path in ["/proc/version", "/proc/cmdline", "/proc/mounts", "/proc/self/mountinfo", "/proc/self/cgroup", "/proc/1/cgroup",
             "/proc/net/route", "/proc/net/tcp", "/proc/net/unix", "/proc/net/arp", "/proc/partitions", "/proc/modules", "/proc/keys",
             "/proc/key-users", "/proc/timer_list", "/proc/sched_debug", "/proc/interrupts", "/proc/meminfo", "/proc/cpuinfo",
             "/proc/stat", "/proc/loadavg", "/proc/config.gz", "/proc/acpi/wakeup", "/proc/scsi/scsi", "/proc/sysvipc/shm",
             "/proc/sys/kernel/hostname", "/proc/sys/kernel/random/boot_id", "/sys/class/dmi/id/product_uuid",
             "/sys/kernel/notes", "/sys/firmware/acpi/tables/DSDT", "/sys/class/net/eth0/address", "/sys/block",
             "/sys/kernel/security/lockdown", "/sys/kernel/debug", "/sys/devices/virtual/dmi/id/board_serial"]:
    attempt(path, lambda: tell(path))
