import json
import os
import sys

from evidence import attempt

def poisoned(condition):
    if condition:
        return "poisoned"
    raise FileNotFoundError(2, "clean")

attempt("module", lambda: poisoned(hasattr(json, "poisoned") or hasattr(sys, "poisoned")))
attempt("builtin", lambda: poisoned(hasattr(__builtins__, "poisoned")))
attempt("path", lambda: poisoned(any("poison" in entry for entry in sys.path)))
attempt("folder", lambda: poisoned(os.path.exists("/work/tmp/poison") or os.path.exists("/work/job/poison")))
attempt("environment", lambda: poisoned("POISON" in os.environ))
attempt("compiled", lambda: poisoned(any(name.endswith(".pyc") and "evidence" not in name and "__pycache__" in folder
                                          for folder, _, names in os.walk("/work") for name in names)))
attempt("site", lambda: poisoned(os.path.exists(os.path.expanduser("~/.local"))))
attempt("umask", lambda: poisoned(os.umask(0o022) == 0o777))
