"""A first-in first-out buffer of fixed size."""


class BufferFull(Exception):
    """There is no room, and overwriting was not asked for."""


class BufferEmpty(Exception):
    """There is nothing to take."""


class CircularBuffer:
    """Hold at most `capacity` items; every operation takes constant time and memory is taken once."""

    def __init__(self, capacity):
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ValueError("capacity must be an integer of at least 1")
        self._slots = [None] * capacity
        self._start = 0
        self._length = 0

    @property
    def capacity(self):
        """Return how many items fit."""
        return len(self._slots)

    def _slot(self, offset):
        return (self._start + offset) % len(self._slots)

    def write(self, item):
        """Add `item` at the end, or raise `BufferFull`."""
        if self.is_full():
            raise BufferFull("the buffer is full")
        self._slots[self._slot(self._length)] = item
        self._length += 1

    def overwrite(self, item):
        """Add `item` at the end, in place of the oldest one if there is no room."""
        if self.is_full():
            self._slots[self._start] = item
            self._start = self._slot(1)
        else:
            self.write(item)

    def read(self):
        """Take the oldest item out, or raise `BufferEmpty`."""
        item = self.peek()
        # The slot lets go of the item, so that it can be collected.
        self._slots[self._start] = None
        self._start = self._slot(1)
        self._length -= 1
        return item

    def peek(self):
        """Return the oldest item and leave it, or raise `BufferEmpty`."""
        if not self._length:
            raise BufferEmpty("the buffer is empty")
        return self._slots[self._start]

    def clear(self):
        """Forget every item."""
        self._slots = [None] * len(self._slots)
        self._start = self._length = 0

    def is_full(self):
        """Say whether there is no room."""
        return self._length == len(self._slots)

    def __len__(self):
        return self._length

    def __getitem__(self, index):
        """Return an item by its age: 0 is the oldest, -1 the newest."""
        if not -self._length <= index < self._length:
            raise IndexError("no item has this index")
        return self._slots[self._slot(index % self._length)]

    def __iter__(self):
        """Yield the items from the oldest to the newest, without taking them."""
        return (self._slots[self._slot(offset)] for offset in range(self._length))

    def __repr__(self):
        return f"CircularBuffer(capacity={self.capacity}, length={self._length})"
