from evidence import attempt, call

calls = {"clock": ("clock_settime", 0, bytes(16)), "time_of_day": ("settimeofday", bytes(16), 0), "adjust": (159, bytes(208)),
         "adjust_clock": (305, 0, bytes(208)), "host_name": ("sethostname", b"x", 1), "domain_name": ("setdomainname", b"x", 1),
         "swap_on": ("swapon", b"/work/job/attack.py", 0), "restart": ("reboot", 0xFEE1DEAD, 672274793, 0x1234567, 0),
         "ports": ("ioperm", 0x80, 1, 1), "port_level": ("iopl", 3), "accounting": ("acct", b"/work/job/acct"),
         "quota": ("quotactl", 0x800002, b"/dev/vda", 0, 0), "log": ("syslog", 3, bytes(100), 100), "log_size": ("syslog", 10, 0, 0),
         "hang_up": (153,), "cookie": ("lookup_dcookie", 0, bytes(64), 64), "nfs": (180, 0, 0, 0),
         "segments": ("modify_ldt", 1, bytes(16), 16), "notify": ("fanotify_init", 0, 0), "watch_dog": ("personality", 0x0040000)}
for name, arguments in calls.items():
    attempt(name, lambda: call(*arguments))
