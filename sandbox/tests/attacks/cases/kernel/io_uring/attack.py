from evidence import attempt, call

attempt("setup", lambda: call("io_uring_setup", 8, bytes(120)))
attempt("enter", lambda: call("io_uring_enter", 0, 1, 0, 0, 0, 0))
attempt("register", lambda: call("io_uring_register", 0, 0, 0, 0))
