import pytest

from rbac import AccessPolicy, PermissionDenied


@pytest.fixture
def policy():
    policy = AccessPolicy()
    policy.define_role("reader", ["article:read"])
    policy.define_role("editor", ["article:edit"], inherits=["reader"])
    policy.define_role("moderator", ["comment:*"], inherits=["reader"])
    policy.define_role("chief", ["report"], inherits=["editor", "moderator"])
    policy.define_role("admin", ["*"])
    policy.assign("ada", "editor")
    policy.assign("grace", "chief")
    policy.assign("root", "admin")
    return policy


@pytest.mark.parametrize(
    "user, permission, allowed",
    [
        ("ada", "article:edit", True),
        ("ada", "article:read", True),
        ("ada", "article:delete", False),
        ("ada", "comment:delete", False),
        ("grace", "article:read", True),
        ("grace", "comment:delete", True),
        ("grace", "report", True),
        ("root", "anything:goes", True),
        ("nobody", "article:read", False),
    ],
)
def test_permissions_come_from_roles_and_the_roles_they_inherit(policy, user, permission, allowed):
    assert policy.allows(user, permission) is allowed


def test_a_role_alone_does_not_grant_the_actions_of_a_resource(policy):
    policy.define_role("archivist", ["article"])
    policy.assign("ken", "archivist")
    assert policy.allows("ken", "article")
    assert not policy.allows("ken", "article:read")


def test_similar_names_grant_nothing(policy):
    policy.define_role("art", ["art:*"])
    policy.assign("ken", "art")
    assert not policy.allows("ken", "article:read")


def test_roles_and_permissions_are_listed_with_the_inherited_ones(policy):
    assert policy.roles("grace") == {"chief", "editor", "moderator", "reader"}
    assert policy.permissions("grace") == {"report", "article:edit", "article:read", "comment:*"}
    assert policy.roles("nobody") == policy.permissions("nobody") == frozenset()


def test_roles_can_be_taken_back(policy):
    policy.assign("ada", "reader")
    assert policy.unassign("ada", "editor")
    assert not policy.unassign("ada", "editor")
    assert policy.allows("ada", "article:read")
    assert not policy.allows("ada", "article:edit")
    assert policy.unassign("ada", "reader")
    assert policy.roles("ada") == frozenset()


def test_require_names_the_permission_that_is_missing(policy):
    policy.require("ada", "article:read", "article:edit")
    with pytest.raises(PermissionDenied, match="ada lacks the permission comment:delete") as denial:
        policy.require("ada", "article:read", "comment:delete")
    assert (denial.value.user, denial.value.permission) == ("ada", "comment:delete")


def test_a_decorated_function_runs_only_for_those_who_may(policy):
    calls = []

    @policy.requires("article:edit")
    def publish(user, title, *, draft=False):
        """Publish an article."""
        calls.append((user, title, draft))
        return title.upper()

    assert publish("ada", "news", draft=True) == "NEWS"
    with pytest.raises(PermissionDenied):
        publish("nobody", "fake")
    assert calls == [("ada", "news", True)]
    assert (publish.__name__, publish.__doc__) == ("publish", "Publish an article.")


def test_a_decorated_function_sees_later_changes(policy):
    @policy.requires("comment:delete")
    def moderate(user):
        return user

    with pytest.raises(PermissionDenied):
        moderate("ada")
    policy.assign("ada", "moderator")
    assert moderate("ada") == "ada"


@pytest.mark.parametrize("permission", ["", "Article", "article:", ":edit", "a:b:c", "article edit", "*:edit", None])
def test_misspelt_permissions_are_refused_early(policy, permission):
    with pytest.raises(ValueError, match="not a permission"):
        policy.requires(permission)
    with pytest.raises(ValueError, match="not a permission"):
        policy.define_role("broken", [permission])


def test_a_check_cannot_ask_for_a_wildcard(policy):
    for permission in ("*", "article:*"):
        with pytest.raises(ValueError, match="wildcards"):
            policy.allows("root", permission)


def test_unknown_and_repeated_roles_are_refused(policy):
    with pytest.raises(KeyError, match="ghost"):
        policy.assign("ada", "ghost")
    with pytest.raises(KeyError, match="ghost"):
        policy.define_role("new", inherits=["ghost"])
    with pytest.raises(KeyError, match="loop"):
        policy.define_role("loop", inherits=["loop"])
    with pytest.raises(ValueError, match="already"):
        policy.define_role("reader", ["*"])


def test_one_name_in_place_of_a_collection_is_refused(policy):
    with pytest.raises(TypeError, match="collections"):
        policy.define_role("new", "article:read")
    with pytest.raises(TypeError, match="collections"):
        policy.define_role("new", inherits="reader")


def test_empty_demands_are_refused(policy):
    with pytest.raises(ValueError, match="at least one"):
        policy.require("ada")
    with pytest.raises(ValueError, match="at least one"):
        policy.requires()
    with pytest.raises(ValueError, match="name"):
        policy.define_role("")
