import os

from evidence import host, say

say("BLOCKED", "leave", "bounded")
os.makedirs("outputs/deep")
targets = {"passwd": "/etc/passwd", "secret": host["secret_path"], "runner": "/promptcraft-runner", "root": "/",
           "environ": "/proc/1/environ", "magic": "/proc/self/fd/0", "up": "../..", "own": "../attack.py"}
for name, target in targets.items():
    os.symlink(target, f"outputs/{name}")
    os.symlink(target, f"outputs/deep/{name}")
with open("outputs/plain", "w") as file:
    file.write("plain")
# A second name of a file of its own is an ordinary file.
os.link("outputs/plain", "outputs/twin")
