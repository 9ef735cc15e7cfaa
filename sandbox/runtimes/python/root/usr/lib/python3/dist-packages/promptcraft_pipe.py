"""The pipe of the test report. It and pytest's own files stay open while tests close descriptors that they do not know."""

import errno
import fcntl
import json
import os
import resource

REPORT_FD = 3


class ReportPipe:
    def __init__(self):
        # Above the numbers that tests use.
        self.fd = fcntl.fcntl(REPORT_FD, fcntl.F_DUPFD_CLOEXEC, _highest())
        os.close(REPORT_FD)

    def say(self, line):
        # The reader refuses lone surrogates.
        data = json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n"
        while data:
            data = data[os.write(self.fd, data) :]


def keep_open():
    """Makes os.close and os.closerange pass over every descriptor that is open now, except for the standard streams."""
    close, close_range = os.close, os.closerange
    kept = {fd: file for fd in range(3, _highest() + 1) if (file := _file(fd))}

    def close_unless_kept(fd):
        if fd in kept and kept[fd] == _file(fd):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        close(fd)

    def close_range_unless_kept(fd_low, fd_high, /):
        for fd in kept:
            if fd_low <= fd < fd_high:
                close_range(fd_low, fd)
                fd_low = fd + 1
        close_range(fd_low, fd_high)

    os.close, os.closerange = close_unless_kept, close_range_unless_kept


def _highest():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1


def _file(fd):
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
