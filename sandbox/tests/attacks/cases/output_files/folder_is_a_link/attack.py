import os

from evidence import say

say("BLOCKED", "leave", "bounded")
os.symlink("/", "outputs")
