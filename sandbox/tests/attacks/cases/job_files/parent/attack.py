import os

print("ESCAPED ran", os.path.exists("../escape.py"))
