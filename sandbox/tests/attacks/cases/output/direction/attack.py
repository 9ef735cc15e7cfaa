import sys

sys.stdout.buffer.write(bytes.fromhex("e280ae6576696ce281a6e281a9e2808befbbbf0a"))
sys.stderr.buffer.write(bytes.fromhex("e280ae6576696ce281a6e281a9e2808befbbbf0a"))
