from evidence import call

for name, arguments in {"shmget": (0x5EC2E7, 4096, 0o1666), "msgget": (0x5EC2E7, 0o1666), "semget": (0x5EC2E7, 1, 0o1666)}.items():
    try:
        call(name, *arguments)
    except OSError:
        pass
