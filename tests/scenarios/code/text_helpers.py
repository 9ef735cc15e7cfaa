def initials(name: str) -> str:
    return "".join(part[0].upper() for part in name.split())


def truncate(text: str, length: int = 10) -> str:
    if length < 1:
        raise ValueError("length must be positive")
    return text if len(text) <= length else text[: length - 1] + "~"


def count_vowels(text: str) -> int:
    return sum(1 for letter in text.lower() if letter in "aeiou")
