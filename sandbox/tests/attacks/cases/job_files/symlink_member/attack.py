import os

from evidence import attempt

def through(path):
    os.lstat(path)
    return "a job's file was written through a link"

attempt("through_folder", lambda: through("/work/tmp/x"))
attempt("link_stays", lambda: os.readlink("sub"))
attempt("other_link_stays", lambda: os.readlink("linked"))
