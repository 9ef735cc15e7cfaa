from evidence import say

say("BLOCKED", "start", "bounded")
held = []
while True:
    held.append(bytearray(b"x" * (8 << 20)))
