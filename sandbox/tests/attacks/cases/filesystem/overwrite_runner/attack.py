import json
import os
import shutil

from evidence import attempt, write

for name, path in {"runner": "/promptcraft-runner", "python": os.path.realpath("/usr/bin/python3"),
                   "module": json.__file__, "compiled": json.__cached__, "loader": "/lib64/ld-linux-x86-64.so.2"}.items():
    attempt(f"{name}_write", lambda: write(path))
    attempt(f"{name}_append", lambda: write(path, b"x", os.O_WRONLY | os.O_APPEND))
    attempt(f"{name}_truncate", lambda: os.truncate(path, 0) or "cut")
    attempt(f"{name}_unlink", lambda: os.unlink(path) or "gone")
    attempt(f"{name}_replace", lambda: os.rename(shutil.copy(__file__, "copy"), path) or "replaced")
    attempt(f"{name}_chmod", lambda: os.chmod(path, 0o777) or "opened")
    attempt(f"{name}_chown", lambda: os.chown(path, 65534, 65534) or "owned")
    attempt(f"{name}_times", lambda: os.utime(path) or "touched")
