import sys

sys.stdout.buffer.write(bytes.fromhex("6265666f726500616674657200000a"))
sys.stderr.buffer.write(bytes.fromhex("6265666f726500616674657200000a"))
