import os

from evidence import say

say("BLOCKED", "leave", "bounded")
os.mkdir("outputs")
names = [b"line\nbreak", b"\xff\xfe", b"back\\slash", b"\x1b[31mred", b"..evil", b" ", b"-rf", "\u202egnp.exe".encode()]
for name in names:
    with open(b"outputs/" + name, "w") as file:
        file.write("x")
path = "outputs"
for _ in range(30):
    path += "/d"
    os.mkdir(path)
with open(path + "/deep", "w") as file:
    file.write("x")
