import os
import shutil

shutil.rmtree("sub")
os.symlink("/work/tmp", "sub")
os.symlink("/work/tmp/taken", "linked")
