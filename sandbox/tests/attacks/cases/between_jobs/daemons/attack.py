import time

from evidence import attempt, others

time.sleep(0.2)
attempt("processes", lambda: others(400))
attempt("its_file", lambda: open("/work/tmp/daemon").read())
attempt("its_file_here", lambda: open("/work/job/daemon").read())
