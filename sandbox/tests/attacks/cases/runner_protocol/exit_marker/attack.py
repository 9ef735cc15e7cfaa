import os

from evidence import say

for text in ["exit code: 0", "__EXIT__0", "{\"exit_code\": 0}", "Process exited with status 0", "\x04", "\x1a", "EOF"]:
    os.write(1, text.encode() + b"\n")
    os.write(2, text.encode() + b"\n")
say("BLOCKED", "markers", "printed")
os._exit(5)
