import os

from evidence import attempt, host, read

for name in ["self", "1", "2", "thread-self", str(host["worker_pid"])]:
    attempt(f"environ_{name if name != str(host['worker_pid']) else 'worker'}", lambda: read(f"/proc/{name}/environ", 4096))
    attempt(f"cmdline_{name if name != str(host['worker_pid']) else 'worker'}", lambda: read(f"/proc/{name}/cmdline", 4096))

GIVEN = {"HOME", "USER", "TMPDIR", "PATH", "LANG", "LC_CTYPE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONDONTWRITEBYTECODE"}

def foreign():
    found = {key: value for key, value in os.environ.items() if key not in GIVEN}
    if not found:
        raise PermissionError(13, "nothing but what the runtime gives")
    return found

attempt("own", foreign)
