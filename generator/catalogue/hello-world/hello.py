"""Greet somebody, by default the world."""

import sys


def greet(name: str = "world") -> str:
    """Return a greeting for `name`; spaces around it do not matter."""
    if not isinstance(name, str):
        raise TypeError("the name must be text")
    name = " ".join(name.split())
    if not name:
        raise ValueError("the name must not be empty")
    return f"Hello, {name}!"


def main(arguments: list[str] | None = None) -> int:
    """Print a greeting for the first argument and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        print(greet(*arguments[:1]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
