import os

from evidence import attempt, call

fd = os.open("/work/job/attack.py" if os.path.exists("attack.py") else "/dev/null", os.O_RDONLY)
attempt("init_module", lambda: call("init_module", b"x", 1, b""))
attempt("finit_module", lambda: call("finit_module", fd, b"", 0))
attempt("delete_module", lambda: call("delete_module", b"loop", 0))
attempt("kexec", lambda: call("kexec_load", 0, 0, 0, 0))
attempt("kexec_file", lambda: call("kexec_file_load", fd, fd, 0, b"", 0))
