from dataclasses import replace

import pytest

from user_repository import DuplicateEmail, NotFound, StaleVersion, User, UserRepository


@pytest.fixture
def users():
    repository = UserRepository.open()
    yield repository
    repository.close()


def test_what_is_created_can_be_read(users):
    ada = users.create("ada@example.com", "Ada")
    assert ada == User(1, "ada@example.com", "Ada", 1)
    assert users.get(ada.id) == ada
    assert users.count() == 1


def test_addresses_are_unique_in_any_case(users):
    ada = users.create("ada@example.com", "Ada")
    with pytest.raises(DuplicateEmail):
        users.create("ADA@example.com", "Another")
    assert users.find_by_email("Ada@Example.COM") == ada
    assert users.find_by_email("grace@example.com") is None
    assert users.count() == 1


def test_update_counts_versions_and_refuses_stale_ones(users):
    first = users.create("ada@example.com", "Ada")
    second = users.update(replace(first, name="Ada L."))
    assert (second.name, second.version) == ("Ada L.", 2)
    with pytest.raises(StaleVersion):
        users.update(replace(first, name="lost update"))
    assert users.get(first.id) == second


def test_update_cannot_take_the_address_of_another(users):
    ada = users.create("ada@example.com", "Ada")
    users.create("grace@example.com", "Grace")
    with pytest.raises(DuplicateEmail):
        users.update(replace(ada, email="grace@example.com"))
    assert users.get(ada.id) == ada


def test_missing_users(users):
    with pytest.raises(NotFound):
        users.get(99)
    with pytest.raises(NotFound):
        users.update(User(99, "x@example.com", "X", 1))
    assert not users.delete(99)


def test_deleted_ids_are_not_given_out_again(users):
    ada = users.create("ada@example.com", "Ada")
    assert users.delete(ada.id)
    assert users.create("ada@example.com", "Ada").id != ada.id


@pytest.mark.parametrize("text", ["'; DROP TABLE users; --", "' OR '1'='1", '"', "\\", "%", "_"])
def test_special_characters_are_only_text(users, text):
    users.create("plain@example.com", "Plain")
    odd = users.create("odd@example.com", f"odd {text}")
    assert users.search(text) == [odd]
    assert users.find_by_email(text) is None
    assert users.count() == 2


def test_search_pages_through_everything_once(users):
    created = [users.create(f"user{number}@example.com", f"User {number}") for number in range(25)]
    seen, last = [], 0
    while page := users.search("user", after_id=last, limit=10):
        seen += page
        last = page[-1].id
    assert seen == created


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_pages_have_a_limit(users, limit):
    with pytest.raises(ValueError, match="limit"):
        users.search(limit=limit)


@pytest.mark.parametrize("email, name", [("", "X"), ("x@example.com", ""), ("x@example.com", "n" * 201), ("x@example.com", None)])
def test_the_table_refuses_bad_values(users, email, name):
    with pytest.raises(ValueError):
        users.create(email, name)
    assert users.count() == 0


def test_data_survives_a_restart(tmp_path):
    path = tmp_path / "users.db"
    first = UserRepository.open(path)
    ada = first.create("ada@example.com", "Ada")
    first.close()
    second = UserRepository.open(path)
    assert second.get(ada.id) == ada
    second.close()
