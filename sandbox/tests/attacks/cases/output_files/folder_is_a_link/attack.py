import os

import evidence

assert evidence
os.symlink("/", "outputs")
