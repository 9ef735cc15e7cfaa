import os

from evidence import say

say("BLOCKED", "leave", "bounded")
os.mkdir("outputs")
for number in range(20):
    with open(f"outputs/{number:02}", "wb") as file:
        file.truncate(7_900_000)
with open("outputs/large", "wb") as file:
    file.truncate(60 << 20)
