"""Role-based access control: roles with permissions, inheritance between roles, checks and a decorator."""

import functools
import re
import threading
from collections.abc import Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ANY = "*"
PERMISSION = re.compile(r"[a-z][a-z0-9_-]*(:([a-z][a-z0-9_-]*|\*))?|\*")


class PermissionDenied(Exception):
    """The user lacks a permission."""

    def __init__(self, user: str, permission: str) -> None:
        super().__init__(f"{user} lacks the permission {permission}")
        self.user = user
        self.permission = permission


def _check_permission(permission: str, *, wildcard: bool) -> None:
    if not isinstance(permission, str) or not PERMISSION.fullmatch(permission):
        raise ValueError(f"{permission!r} is not a permission such as 'article' or 'article:edit'")
    if ANY in permission and not wildcard:
        raise ValueError("a check names one permission; wildcards belong to roles")


def _is_granted(permission: str, granted: frozenset[str]) -> bool:
    resource = permission.partition(":")[0]
    return not granted.isdisjoint((permission, f"{resource}:{ANY}", ANY))


class AccessPolicy:
    """Roles and who has them. Everything that is not granted is denied."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._permissions: dict[str, frozenset[str]] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._effective: dict[str, frozenset[str]] = {}
        self._roles_of: dict[str, set[str]] = {}

    def define_role(self, role: str, permissions: Iterable[str] = (), *, inherits: Iterable[str] = ()) -> None:
        """Add a role. It has its own permissions and those of the roles that it inherits, which must exist."""
        if not role:
            raise ValueError("the role's name must not be empty")
        if isinstance(permissions, str) or isinstance(inherits, str):
            raise TypeError("permissions and inherits are collections of names, not one name")
        own, parents = frozenset(permissions), tuple(inherits)
        for permission in own:
            _check_permission(permission, wildcard=True)
        with self._lock:
            if role in self._permissions:
                raise ValueError(f"the role {role} is defined already")
            # Parents exist before their children and are never redefined, so inheritance has no cycles.
            for parent in parents:
                self._check_role(parent)
            self._permissions[role] = own
            self._parents[role] = parents
            self._effective[role] = own.union(*(self._effective[parent] for parent in parents))

    def _check_role(self, role: str) -> None:
        if role not in self._permissions:
            raise KeyError(f"the role {role} is not defined")

    def assign(self, user: str, role: str) -> None:
        """Give a role to a user; giving it twice changes nothing."""
        with self._lock:
            self._check_role(role)
            self._roles_of.setdefault(user, set()).add(role)

    def unassign(self, user: str, role: str) -> bool:
        """Take a role from a user; return whether the user had it."""
        with self._lock:
            self._check_role(role)
            roles = self._roles_of.get(user, set())
            had_it = role in roles
            roles.discard(role)
            if not roles:
                self._roles_of.pop(user, None)
            return had_it

    def roles(self, user: str) -> frozenset[str]:
        """Return the user's roles, inherited ones included."""
        with self._lock:
            found: set[str] = set()
            pending = list(self._roles_of.get(user, ()))
            while pending:
                role = pending.pop()
                if role not in found:
                    found.add(role)
                    pending.extend(self._parents[role])
            return frozenset(found)

    def permissions(self, user: str) -> frozenset[str]:
        """Return what the user's roles grant, wildcards as they were written."""
        with self._lock:
            return frozenset().union(*(self._effective[role] for role in self._roles_of.get(user, ())))

    def allows(self, user: str, permission: str) -> bool:
        """Return whether the user has a permission."""
        _check_permission(permission, wildcard=False)
        return _is_granted(permission, self.permissions(user))

    def require(self, user: str, *needed: str) -> None:
        """Raise `PermissionDenied` unless the user has every one of the permissions."""
        if not needed:
            raise ValueError("name at least one permission")
        for permission in needed:
            if not self.allows(user, permission):
                raise PermissionDenied(user, permission)

    def requires(
        self, *needed: str
    ) -> Callable[[Callable[Concatenate[str, Parameters], Result]], Callable[Concatenate[str, Parameters], Result]]:
        """Decorate a function whose first argument is the user, so that it runs only with the permissions."""
        if not needed:
            raise ValueError("name at least one permission")
        # A misspelt permission fails when the function is defined, not when it is called.
        for permission in needed:
            _check_permission(permission, wildcard=False)

        def decorate(
            function: Callable[Concatenate[str, Parameters], Result],
        ) -> Callable[Concatenate[str, Parameters], Result]:
            @functools.wraps(function)
            def guarded(user: str, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
                self.require(user, *needed)
                return function(user, *args, **kwargs)

            return guarded

        return decorate
