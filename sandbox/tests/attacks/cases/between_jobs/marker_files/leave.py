import os

from evidence import host

for path in ["left", "/work/tmp/left", "/work/left", "/tmp/.hidden", "/dev/shm/left", "/var/tmp/left", "/run/left"]:
    try:
        open(path, "w").write("secret")
    except OSError:
        pass
os.mkdir("/work/tmp/closed", 0)
os.mkdir("/work/tmp/deep")
os.chdir("/work/tmp/deep")
for _ in range(300):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
open("/dev/shm/.hidden", "w").write("secret")
open("bottom", "w").write("secret")
