from evidence import attempt

def fill():
    # Each is well below the largest size of one file.
    for number in range(40):
        with open(f"part{number}", "wb") as file:
            file.write(b"x" * (1 << 20))
    return "40 MiB"

attempt("many", fill)
raise SystemExit(1)
