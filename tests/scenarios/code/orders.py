from dataclasses import dataclass


@dataclass
class Line:
    name: str
    price: float
    amount: int = 1


def line_total(line: Line) -> float:
    return line.price * line.amount


def discount(total: float, percent: int = 10) -> float:
    if not 0 <= percent <= 100:
        raise ValueError("percent must be from 0 to 100")
    return round(total * (100 - percent) / 100, 2)


def shipping(total: float, express: bool = False) -> float:
    base = 0.0 if total >= 50 else 4.9
    return base + 6.0 if express else base


if __name__ == "__main__":
    lines = [Line("pen", 1.5, 4), Line("book", 20.0)]
    total = sum(line_total(line) for line in lines)
    print("total", total)
    print("to pay", discount(total) + shipping(total))
