"""Users in SQLite: create, read, update, delete, search. Every value is bound, never formatted into SQL."""

import sqlite3
from dataclasses import dataclass
from typing import Any

MAX_PAGE = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(email) BETWEEN 3 AND 254),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    version INTEGER NOT NULL DEFAULT 1
)
"""


class NotFound(LookupError):
    """No user has this id."""


class DuplicateEmail(ValueError):
    """Another user has this address."""


class StaleVersion(RuntimeError):
    """The user was changed since it was read: read it again."""


@dataclass(frozen=True)
class User:
    """A stored user; `version` grows with every update."""

    id: int
    email: str
    name: str
    version: int


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class UserRepository:
    """The one place that knows the table; each method is a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        with connection:
            connection.execute(_SCHEMA)

    @classmethod
    def open(cls, path: str = ":memory:") -> "UserRepository":
        """Open or create a database file; the default lives in memory."""
        return cls(sqlite3.connect(path))

    def _write(self, statement: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            with self._connection:
                return self._connection.execute(statement, parameters)
        except sqlite3.IntegrityError as error:
            if "UNIQUE" in str(error):
                raise DuplicateEmail("another user has this address") from error
            raise ValueError("the address or the name is too short or too long") from error

    def create(self, email: str, name: str) -> User:
        """Store a new user and return it."""
        cursor = self._write("INSERT INTO users (email, name) VALUES (?, ?)", (email, name))
        # An INSERT always leaves the number of its row.
        return self.get(cursor.lastrowid or 0)

    def get(self, user_id: int) -> User:
        """Return a user, or raise `NotFound`."""
        row = self._connection.execute("SELECT id, email, name, version FROM users WHERE id = ?", (user_id,)).fetchone()
        if row is None:
            raise NotFound("no such user")
        return User(*row)

    def find_by_email(self, email: str) -> User | None:
        """Return the user with this address in any case, or None."""
        row = self._connection.execute("SELECT id, email, name, version FROM users WHERE email = ?", (email,)).fetchone()
        return None if row is None else User(*row)

    def search(self, text: str = "", *, after_id: int = 0, limit: int = 20) -> list[User]:
        """Return users whose name contains `text`, by id; for the next page pass the last id as `after_id`."""
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit must be from 1 to {MAX_PAGE}")
        rows = self._connection.execute(
            "SELECT id, email, name, version FROM users WHERE id > ? AND name LIKE ? ESCAPE '\\' ORDER BY id LIMIT ?",
            (after_id, f"%{_escape_like(text)}%", limit),
        )
        return [User(*row) for row in rows]

    def update(self, user: User) -> User:
        """Store the fields of `user` if nobody changed it since it was read; return the new state."""
        cursor = self._write(
            "UPDATE users SET email = ?, name = ?, version = version + 1 WHERE id = ? AND version = ?",
            (user.email, user.name, user.id, user.version),
        )
        if cursor.rowcount == 0:
            self.get(user.id)
            raise StaleVersion("the user was changed in the meantime")
        return self.get(user.id)

    def delete(self, user_id: int) -> bool:
        """Remove a user; say whether there was one."""
        return self._write("DELETE FROM users WHERE id = ?", (user_id,)).rowcount == 1

    def count(self) -> int:
        """Return the number of users."""
        return int(self._connection.execute("SELECT count(*) FROM users").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
