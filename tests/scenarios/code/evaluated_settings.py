import sys


def parse_setting(text: str):
    return eval(text)


if __name__ == "__main__":
    for line in sys.stdin:
        print(parse_setting(line.strip()))
