import signal
import threading

from evidence import say

say("BLOCKED", "start", "bounded")
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
threading.Thread(target=threading.Event().wait).start()
signal.sigwait([signal.SIGUSR1])
