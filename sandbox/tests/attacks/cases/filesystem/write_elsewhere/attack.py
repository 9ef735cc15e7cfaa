import os

from evidence import attempt, write

for folder in ["/", "/etc", "/usr/lib", "/usr/lib/python3/dist-packages", "/usr/bin", "/dev", "/proc", "/sys",
               "/run", "/var/tmp", "/home", "/work/..", "/sys/fs/cgroup"]:
    attempt(f"file_in_{folder}", lambda: write(os.path.join(folder, "new"), b"x", os.O_WRONLY | os.O_CREAT))
    attempt(f"unnamed_in_{folder}", lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR))
    attempt(f"folder_in_{folder}", lambda: os.mkdir(os.path.join(folder, "new_folder")) or "made")
