"""Schema migrations for SQLite: numbered scripts, each applied once in a transaction and guarded by a checksum."""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

_FILE_NAME = re.compile(r"(\d+)_(\w+)\.sql")
_TRANSACTION = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(begin|commit|end|rollback|savepoint|release|vacuum)\b", re.IGNORECASE | re.DOTALL
)

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL
)
"""


class MigrationError(RuntimeError):
    """The migrations do not fit the database, or one failed; nothing of the failed one remains."""


@dataclass(frozen=True)
class Migration:
    """A numbered change of the schema. Never edit one that was released: add another."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the script, whatever the line ends."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()

    def statements(self) -> list[str]:
        """Return the statements of the script."""
        found, pending = [], ""
        for piece in re.split(r"(?<=;)", self.sql):
            pending += piece
            # A semicolon inside a text, a comment or a trigger ends no statement.
            if sqlite3.complete_statement(pending):
                found.append(pending.strip())
                pending = ""
        if _has_code(pending):
            raise MigrationError(f"migration {self.version} ({self.name}): the last statement has no semicolon")
        return found


def _has_code(text: str) -> bool:
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL).strip())


def load_migrations(folder: Path | str) -> list[Migration]:
    """Return the migrations of a folder with files such as `001_create_users.sql`, by version."""
    migrations = []
    for path in sorted(Path(folder).glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not named like 001_create_users.sql")
        migrations.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    return sorted(migrations, key=lambda each: each.version)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Migrator:
    """Bring a database to the newest version. The connection is switched to explicit transactions."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        migrations: Iterable[Migration],
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if connection.in_transaction:
            raise MigrationError("the connection has an open transaction; commit or roll it back first")
        self._migrations = sorted(migrations, key=lambda each: each.version)
        versions = [each.version for each in self._migrations]
        if versions != list(range(1, len(versions) + 1)):
            raise MigrationError(f"versions must be 1, 2, 3, ... without gaps or repetitions: {versions}")
        self._connection = connection
        self._connection.isolation_level = None
        self._now = now
        self._connection.execute(_TABLE)

    def version(self) -> int:
        """Return the version of the database; 0 if no migration was applied."""
        row = self._connection.execute("SELECT COALESCE(MAX(version), 0) FROM schema_migrations").fetchone()
        return int(row[0])

    def verify(self) -> None:
        """Raise `MigrationError` if the database has a migration that is unknown here or was changed since."""
        applied = self._connection.execute("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
        known = {each.version: each for each in self._migrations}
        for version, name, checksum in applied.fetchall():
            if version not in known:
                raise MigrationError(f"the database has migration {version} ({name}), which is unknown to this program")
            if known[version].checksum != checksum:
                raise MigrationError(f"migration {version} ({name}) was changed after it had been applied; add a new one")

    def pending(self) -> list[Migration]:
        """Return the migrations that are still to be applied."""
        self.verify()
        version = self.version()
        return [each for each in self._migrations if each.version > version]

    def migrate(self, target: int | None = None) -> list[Migration]:
        """Apply the pending migrations, up to version `target` if given, and return them.

        Each is a transaction of its own: if one fails, those before it stay and nothing of it remains.
        """
        if target is not None and not 0 <= target <= len(self._migrations):
            raise ValueError(f"target must be from 0 to {len(self._migrations)}")
        wanted = [each for each in self.pending() if target is None or each.version <= target]
        # A mistake in any script is found before the first change.
        scripts = [(each, _checked_statements(each)) for each in wanted]
        return [migration for migration, statements in scripts if self._apply(migration, statements)]

    def _apply(self, migration: Migration, statements: list[str]) -> bool:
        """Apply one migration; return False if another process was faster."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if self.version() >= migration.version:
                self._connection.execute("ROLLBACK")
                self.verify()
                return False
            for statement in statements:
                self._run(statement)
            row = (migration.version, migration.name, migration.checksum, self._now().isoformat())
            self._connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", row)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise MigrationError(f"migration {migration.version} ({migration.name}) failed: {error}") from error
        return True

    def _run(self, statement: str) -> None:
        # One by one: executescript would commit the transaction.
        self._connection.execute(statement)


def _checked_statements(migration: Migration) -> list[str]:
    statements = migration.statements()
    for statement in statements:
        match = _TRANSACTION.match(statement)
        if match:
            name = f"migration {migration.version} ({migration.name})"
            raise MigrationError(f"{name} must not use {match[1].upper()}: it is a transaction already")
    return statements
