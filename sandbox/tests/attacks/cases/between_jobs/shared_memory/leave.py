import time
from multiprocessing import shared_memory

import evidence

segment = shared_memory.SharedMemory("victim", create=True, size=4096)
segment.buf[:6] = b"secret"
open("/dev/shm/victim.txt", "w").write("secret")
time.sleep(0.9)
assert bytes(segment.buf[:6]) == b"secret"
segment.close()
segment.unlink()
