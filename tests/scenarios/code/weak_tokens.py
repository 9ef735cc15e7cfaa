import hashlib
import random
import string


def make_token(length: int = 32) -> str:
    letters = string.ascii_letters + string.digits
    return "".join(random.choice(letters) for _ in range(length))


def token_fingerprint(token: str) -> str:
    return hashlib.md5(token.encode()).hexdigest()


if __name__ == "__main__":
    print(len(make_token()))
