import ctypes
import glob
import mmap
import os
import shutil
import subprocess

from evidence import attempt, call

shutil.copy(os.path.realpath("/usr/bin/python3"), "copy")
os.chmod("copy", 0o755)

def start(*words):
    done = subprocess.run([*words, "-I", "-S", "-c", "print('ran')"], capture_output=True, timeout=10)
    if b"ran" in done.stdout:
        return "ran"
    raise PermissionError(13, "did not run")

attempt("directly", lambda: start("./copy"))
attempt("by_loader", lambda: start("/lib64/ld-linux-x86-64.so.2", "/work/job/copy"))
attempt("by_loader_and_cache", lambda: start("/lib64/ld-linux-x86-64.so.2", "--inhibit-cache", "/work/job/copy"))
attempt("by_descriptor", lambda: os.execve(os.open("copy", os.O_RDONLY), ["copy", "-c", "print('ESCAPED by_descriptor ran')"], {}))
attempt("by_empty_path", lambda: call("execveat", os.open("copy", os.O_RDONLY), b"", 0, 0, 0x1000))
library = glob.glob("/usr/lib/python3*/lib-dynload/_json*.so") or glob.glob("/usr/lib/x86_64-linux-gnu/libz.so*")
shutil.copy(library[0], "library.so")
attempt("as_library", lambda: ctypes.CDLL("/work/job/library.so"))
attempt("preloaded", lambda: "loaded" if b"cannot" not in subprocess.run(
    ["/usr/bin/python3", "-I", "-S", "-c", "pass"], env={"LD_PRELOAD": "/work/job/library.so"}, capture_output=True, timeout=10).stderr
    else os.open("/etc/ld.so.preload", os.O_WRONLY | os.O_CREAT))

def map_executable():
    with open("copy", "r+b") as file:
        return mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE)

def map_then_make_executable():
    with open("copy", "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        return call(10, address, 4096, 5) == 0 and "executable"

attempt("mapped", map_executable)
attempt("mapped_later", map_then_make_executable)
