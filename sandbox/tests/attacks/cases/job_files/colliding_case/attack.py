import os

from evidence import attempt

assert open("Same.txt").read() == "one" and open("same.txt").read() == "two"
assert open("caf\u00e9").read() == "three" and open("cafe\u0301").read() == "four"
attempt("merged", lambda: os.stat("SAME.TXT"))
