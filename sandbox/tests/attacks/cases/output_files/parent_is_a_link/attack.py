import os

from evidence import say

say("BLOCKED", "leave", "bounded")
os.makedirs("/work/elsewhere/outputs")
with open("/work/elsewhere/outputs/taken", "w") as file:
    file.write("x")
os.rename("/work/job", "/work/former")
os.symlink("/work/elsewhere", "/work/job")
