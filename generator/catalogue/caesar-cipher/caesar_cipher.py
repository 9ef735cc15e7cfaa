"""The Caesar cipher: letters moved along the alphabet. A toy: it protects nothing."""

ALPHABET_SIZE = 26


def _moved(character: str, shift: int) -> str:
    if "a" <= character <= "z":
        start = ord("a")
    elif "A" <= character <= "Z":
        start = ord("A")
    else:
        return character
    return chr((ord(character) - start + shift) % ALPHABET_SIZE + start)


def encrypt(text: str, shift: int) -> str:
    """Return `text` with its Latin letters moved by `shift`, in their case; everything else stays."""
    if not isinstance(text, str):
        raise TypeError("the text must be a string")
    if isinstance(shift, bool) or not isinstance(shift, int):
        raise TypeError("the shift must be an integer")
    return "".join(_moved(character, shift) for character in text)


def decrypt(text: str, shift: int) -> str:
    """Return what `encrypt` was given with the same shift."""
    return encrypt(text, -shift if isinstance(shift, int) and not isinstance(shift, bool) else shift)


def rot13(text: str) -> str:
    """Return `text` moved by half the alphabet; twice gives the text back."""
    return encrypt(text, ALPHABET_SIZE // 2)


def all_decryptions(text: str) -> list[tuple[int, str]]:
    """Return (shift, text) for every shift: with 26 of them no key is needed to read a message."""
    return [(shift, decrypt(text, shift)) for shift in range(ALPHABET_SIZE)]
