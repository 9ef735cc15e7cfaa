import os

from evidence import attempt

def files():
    for number in range(200000):
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))
    return number

def folders():
    path = "/work/tmp"
    for number in range(200000):
        os.mkdir(f"{path}/d{number}")
    return number

def links():
    for number in range(200000):
        os.symlink("x", f"/work/tmp/l{number}")
    return number

attempt("files", files)
attempt("folders", folders)
attempt("links", links)
raise SystemExit(1)
