from evidence import attempt, read

for path in ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/hostname", "/etc/resolv.conf"]:
    attempt(path, lambda: read(path))
