import hashlib
import sys


def parse_setting(text: str):
    return eval(text)


def password_digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest()


if __name__ == "__main__":
    for line in sys.stdin:
        print(parse_setting(line.strip()))
