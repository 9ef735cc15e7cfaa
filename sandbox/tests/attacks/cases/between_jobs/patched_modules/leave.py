import builtins
import json
import os
import pathlib
import sys

json.poisoned = sys.poisoned = builtins.poisoned = True
os.environ["POISON"] = "1"
os.umask(0o777)
for folder in ["/work/tmp/poison", "/work/job/poison", os.path.expanduser("~/.local/lib/python3.11/site-packages")]:
    try:
        pathlib.Path(folder).mkdir(parents=True)
    except OSError:
        pass
for target in [json.__file__, json.__cached__, "/usr/lib/python3/dist-packages/promptcraft_report.py",
               os.path.expanduser("~/.local/lib/python3.11/site-packages/usercustomize.py")]:
    try:
        with open(target, "w") as file:
            file.write("import sys; sys.poisoned = True")
    except OSError:
        pass
