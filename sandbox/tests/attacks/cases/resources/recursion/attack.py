import ctypes
import sys
import threading

from evidence import say

say("BLOCKED", "start", "bounded")
sys.setrecursionlimit(1 << 30)
threading.stack_size(1 << 20)
# Code that does nothing but push: it runs off the end of the stack.
import mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\x50\xeb\xfd")
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
