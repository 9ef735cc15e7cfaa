import os
import time

from evidence import attempt

def somebody():
    time.sleep(0.2)
    seen = []
    for number in range(2, 400):
        if number != os.getpid():
            try:
                os.kill(number, 0)
                seen.append(number)
            except PermissionError:
                seen.append(number)
            except ProcessLookupError:
                pass
    if seen:
        return seen
    raise ProcessLookupError(3, "nobody")

attempt("processes", somebody)
attempt("its_file", lambda: open("/work/tmp/daemon").read())
attempt("its_file_here", lambda: open("/work/job/daemon").read())
