"""Values as Python literals."""

import math

MAX_CHARACTERS = 300
MAX_DEPTH = 6


def written(value):
    """Returns the literal of a value of built-in types; `None` if it has none or a long one."""
    text = _text(value, 0)
    return text if text is not None and len(text) <= MAX_CHARACTERS else None


def _text(value, depth):
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    if depth >= MAX_DEPTH or kind not in (list, tuple, set, dict) or len(value) > MAX_CHARACTERS:
        return None
    if kind is dict:
        pairs = [(_text(key, depth + 1), _text(item, depth + 1)) for key, item in value.items()]
        if any(key is None or item is None for key, item in pairs):
            return None
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    parts = [_text(item, depth + 1) for item in value]
    if None in parts:
        return None
    if kind is list:
        return "[" + ", ".join(parts) + "]"
    if kind is tuple:
        return f"({parts[0]},)" if len(parts) == 1 else "(" + ", ".join(parts) + ")"
    # The order of a set differs between processes.
    return "{" + ", ".join(sorted(parts)) + "}" if parts else "set()"
