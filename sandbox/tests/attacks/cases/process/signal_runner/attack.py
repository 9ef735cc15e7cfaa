import os
import signal
import time

from evidence import attempt, call, NoEffect

def send(action):
    action()
    # Process 1 of a pid namespace is immune to what it does not handle: it goes on, and reports this line.
    time.sleep(0.01)
    raise NoEffect

for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP, signal.SIGCHLD, signal.SIGCONT, signal.SIGSEGV,
               signal.SIGPIPE, signal.SIGUSR1, signal.SIGRTMAX):
    attempt(f"kill_{int(number)}", lambda: send(lambda: os.kill(1, number)))
attempt("group", lambda: send(lambda: os.killpg(1, signal.SIGKILL)))
attempt("thread", lambda: send(lambda: call(234, 1, 1, 9)))
attempt("queued", lambda: send(lambda: call(129, 1, 9, bytes(128))))
attempt("by_descriptor", lambda: send(lambda: call("pidfd_send_signal", call("pidfd_open", 1, 0), 9, 0, 0)))
