"""A queue from two stacks, and a stack from two queues: each uses only the operations of the other."""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Stack(Generic[Item]):
    """Last in, first out: a list of which only the end is used."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def push(self, item: Item) -> None:
        """Put an item on top."""
        self._items.append(item)

    def pop(self) -> Item:
        """Remove the item on top and return it."""
        if not self._items:
            raise IndexError("the stack is empty")
        return self._items.pop()

    def peek(self) -> Item:
        """Return the item on top."""
        if not self._items:
            raise IndexError("the stack is empty")
        return self._items[-1]

    def __len__(self) -> int:
        return len(self._items)


class QueueFromStacks(Generic[Item]):
    """First in, first out, from two stacks; each operation takes constant time on average."""

    def __init__(self) -> None:
        # New items arrive on one stack. The other has older items, the oldest on top.
        self._arriving: Stack[Item] = Stack()
        self._leaving: Stack[Item] = Stack()

    def enqueue(self, item: Item) -> None:
        """Add an item at the back."""
        self._arriving.push(item)

    def _turn_over(self) -> None:
        if len(self) == 0:
            raise IndexError("the queue is empty")
        # Each item moves once in its life, only when nothing older is left.
        if len(self._leaving) == 0:
            while len(self._arriving) > 0:
                self._leaving.push(self._arriving.pop())

    def dequeue(self) -> Item:
        """Remove the item at the front and return it."""
        self._turn_over()
        return self._leaving.pop()

    def peek(self) -> Item:
        """Return the item at the front."""
        self._turn_over()
        return self._leaving.peek()

    def __len__(self) -> int:
        return len(self._arriving) + len(self._leaving)


class StackFromQueues(Generic[Item]):
    """Last in, first out, from two queues; `push` takes linear time, all else constant time on average."""

    def __init__(self) -> None:
        # The newest item is always at the front.
        self._items: QueueFromStacks[Item] = QueueFromStacks()

    def push(self, item: Item) -> None:
        """Put an item on top."""
        # The new item goes first into an empty queue, then all others behind it.
        other: QueueFromStacks[Item] = QueueFromStacks()
        other.enqueue(item)
        while len(self._items) > 0:
            other.enqueue(self._items.dequeue())
        self._items = other

    def pop(self) -> Item:
        """Remove the item on top and return it."""
        if len(self._items) == 0:
            raise IndexError("the stack is empty")
        return self._items.dequeue()

    def peek(self) -> Item:
        """Return the item on top."""
        if len(self._items) == 0:
            raise IndexError("the stack is empty")
        return self._items.peek()

    def __len__(self) -> int:
        return len(self._items)
