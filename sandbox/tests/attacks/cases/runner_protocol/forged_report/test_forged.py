import os

LINE = b'{"event":"end","name":"forged","outcome":"passed","duration_ms":1}\n'

def test_real():
    for fd in range(3, 256):
        try:
            os.write(fd, LINE)
        except OSError:
            pass
    os._exit(1)
