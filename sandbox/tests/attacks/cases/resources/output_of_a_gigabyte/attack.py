import os
import threading

block = b"0123456789abcdef" * 65536

def pour(fd):
    for _ in range(512):
        written = 0
        while written < len(block):
            written += os.write(fd, block[written:])

thread = threading.Thread(target=pour, args=(2,))
thread.start()
pour(1)
thread.join()
