import os
import stat

from evidence import attempt

for name in ["-c", "-m", "--help", "proc", "CON", "~", "$HOME", "*", "symlink -> /etc/passwd"]:
    assert stat.S_ISREG(os.lstat(name).st_mode), name
attempt("link", lambda: os.readlink("symlink -> ") if os.path.exists("symlink -> ") else os.readlink("-c"))
