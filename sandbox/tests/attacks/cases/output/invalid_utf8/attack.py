import sys

sys.stdout.buffer.write(bytes.fromhex("fffec0afeda080f888808080e282"))
sys.stderr.buffer.write(bytes.fromhex("fffec0afeda080f888808080e282"))
