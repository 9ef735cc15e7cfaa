import sqlite3
from datetime import datetime, timezone

import pytest

from migrations import Migration, MigrationError, Migrator, load_migrations

USERS = Migration(1, "create_users", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);")
EMAIL = Migration(2, "add_email", "ALTER TABLE users ADD COLUMN email TEXT;\nCREATE UNIQUE INDEX users_email ON users (email);")
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:")
    yield made
    made.close()


def tables(connection):
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def columns(connection, table):
    return [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def test_migrations_are_applied_in_order_and_only_once(connection):
    migrator = Migrator(connection, [EMAIL, USERS], now=lambda: NOW)
    assert migrator.version() == 0
    assert migrator.migrate() == [USERS, EMAIL]
    assert (migrator.version(), migrator.migrate(), migrator.pending()) == (2, [], [])
    assert columns(connection, "users") == ["id", "name", "email"]
    rows = connection.execute("SELECT * FROM schema_migrations").fetchall()
    assert rows[0] == (1, "create_users", USERS.checksum, "2024-01-02T03:04:05+00:00")


def test_later_migrations_are_added_to_an_older_database(connection):
    Migrator(connection, [USERS]).migrate()
    connection.execute("INSERT INTO users (name) VALUES ('Ada')")
    assert Migrator(connection, [USERS, EMAIL]).migrate() == [EMAIL]
    assert connection.execute("SELECT name, email FROM users").fetchall() == [("Ada", None)]


def test_a_target_stops_before_the_newest(connection):
    migrator = Migrator(connection, [USERS, EMAIL])
    assert migrator.migrate(target=1) == [USERS]
    assert migrator.pending() == [EMAIL]
    for target in (-1, 3):
        with pytest.raises(ValueError, match="target must be from 0 to 2"):
            migrator.migrate(target)


def test_nothing_of_a_failed_migration_remains(connection):
    broken = Migration(2, "broken", "CREATE TABLE extra (id INTEGER); INSERT INTO missing VALUES (1);")
    migrator = Migrator(connection, [USERS, broken])
    with pytest.raises(MigrationError, match=r"migration 2 \(broken\) failed: no such table: missing"):
        migrator.migrate()
    assert migrator.version() == 1
    assert tables(connection) == {"schema_migrations", "users"}
    assert not connection.in_transaction
    fixed = Migration(2, "fixed", "CREATE TABLE extra (id INTEGER);")
    assert Migrator(connection, [USERS, fixed]).migrate() == [fixed]


def test_a_changed_migration_is_refused(connection):
    Migrator(connection, [USERS]).migrate()
    changed = Migration(1, "create_users", USERS.sql + " ")
    with pytest.raises(MigrationError, match="was changed after it had been applied"):
        Migrator(connection, [changed, EMAIL]).migrate()
    assert columns(connection, "users") == ["id", "name"]


def test_line_ends_do_not_change_the_checksum():
    assert Migration(1, "a", "SELECT 1;\r\nSELECT 2;").checksum == Migration(1, "a", "SELECT 1;\nSELECT 2;").checksum


def test_a_database_of_a_newer_program_is_refused(connection):
    Migrator(connection, [USERS, EMAIL]).migrate()
    with pytest.raises(MigrationError, match=r"has migration 2 \(add_email\), which is unknown"):
        Migrator(connection, [USERS]).pending()


@pytest.mark.parametrize("versions", [[2], [1, 3], [1, 1], [0, 1]])
def test_versions_have_no_gaps(connection, versions):
    with pytest.raises(MigrationError, match="without gaps"):
        Migrator(connection, [Migration(version, "x", "SELECT 1;") for version in versions])


def test_semicolons_in_texts_comments_and_triggers_end_nothing(connection):
    script = """
        -- a comment; with a semicolon
        CREATE TABLE notes (text TEXT DEFAULT 'a;b'); /* another; one */
        CREATE TRIGGER twice AFTER INSERT ON notes WHEN new.text = 'x' BEGIN
            INSERT INTO notes VALUES ('y');
            INSERT INTO notes VALUES ('z');
        END;
        -- the end
    """
    assert len(Migration(1, "notes", script).statements()) == 2
    Migrator(connection, [Migration(1, "notes", script)]).migrate()
    connection.execute("INSERT INTO notes VALUES ('x')")
    assert [row[0] for row in connection.execute("SELECT text FROM notes")] == ["x", "y", "z"]


def test_an_unfinished_statement_is_found_before_any_change(connection):
    migrator = Migrator(connection, [USERS, Migration(2, "open", "CREATE TABLE x (id INTEGER)")])
    with pytest.raises(MigrationError, match="the last statement has no semicolon"):
        migrator.migrate()
    assert migrator.version() == 0


@pytest.mark.parametrize("statement", ["COMMIT;", "-- note\nbegin;", "/* x */ Rollback;", "VACUUM;"])
def test_transactions_inside_a_migration_are_refused(connection, statement):
    with pytest.raises(MigrationError, match="must not use"):
        Migrator(connection, [Migration(1, "x", statement)]).migrate()


def test_two_processes_apply_each_migration_once(tmp_path):
    first, second = (sqlite3.connect(tmp_path / "shared.db") for _ in range(2))
    try:
        slow, fast = Migrator(first, [USERS]), Migrator(second, [USERS])
        pending = slow.pending()
        assert fast.migrate() == [USERS]
        assert slow._apply(pending[0], pending[0].statements()) is False
        assert slow.version() == 1
    finally:
        first.close()
        second.close()


def test_an_open_transaction_is_refused(connection):
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(MigrationError, match="open transaction"):
        Migrator(connection, [])


def test_migrations_are_loaded_from_files(tmp_path):
    (tmp_path / "010_third.sql").write_text("SELECT 3;", encoding="utf-8")
    (tmp_path / "002_second.sql").write_text("SELECT 2;", encoding="utf-8")
    (tmp_path / "readme.txt").write_text("x", encoding="utf-8")
    assert load_migrations(tmp_path) == [Migration(2, "second", "SELECT 2;"), Migration(10, "third", "SELECT 3;")]
    (tmp_path / "wrong.sql").write_text("", encoding="utf-8")
    with pytest.raises(MigrationError, match="wrong.sql is not named like"):
        load_migrations(tmp_path)
