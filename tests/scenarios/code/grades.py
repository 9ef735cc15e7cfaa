"""Grades of a class."""


def average(grades: list[float]) -> float:
    """Return the mean of the grades."""
    return sum(grades) / len(grades)


def letter(points: int) -> str:
    """Return the letter for points from 0 to 100."""
    for limit, name in ((90, "A"), (80, "B"), (70, "C"), (60, "D")):
        if points >= limit:
            return name
    return "F"


print(letter(85), average([1.0, 2.0, 3.0]))
