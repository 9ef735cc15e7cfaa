import ctypes
import glob
import mmap
import os
import shutil
import subprocess

from evidence import attempt

PLACE = "/dev/shm"
shutil.copy(os.path.realpath("/usr/bin/python3"), f"{PLACE}/copy")
os.chmod(f"{PLACE}/copy", 0o755)

def start(*words):
    done = subprocess.run([*words, "-I", "-S", "-c", "print('ran')"], capture_output=True, timeout=10)
    if b"ran" in done.stdout:
        return "ran"
    raise PermissionError(13, "did not run")

attempt("directly", lambda: start(f"{PLACE}/copy"))
attempt("by_loader", lambda: start("/lib64/ld-linux-x86-64.so.2", f"{PLACE}/copy"))
library = glob.glob("/usr/lib/python3*/lib-dynload/_json*.so") or glob.glob("/usr/lib/x86_64-linux-gnu/libz.so*")
shutil.copy(library[0], f"{PLACE}/library.so")
attempt("as_library", lambda: ctypes.CDLL(f"{PLACE}/library.so"))

def map_executable():
    with open(f"{PLACE}/copy", "r+b") as file:
        return mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_SHARED)

attempt("mapped", map_executable)
attempt("device", lambda: os.mknod(f"{PLACE}/null", 0o20666, os.makedev(1, 3)) or "made")
attempt("remove", lambda: os.rmdir(PLACE) or "removed")
attempt("replace", lambda: os.rename(PLACE, "/dev/other") or "renamed")
