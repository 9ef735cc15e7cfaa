"""Feature flags: kill switch, users by name, targeting by attributes, and stable percentage rollouts."""

import hashlib
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

ROLLOUT_PERCENTAGE = 100
# A hundredth of a percent is the finest step of a rollout.
BUCKETS = 10000
KNOWN_SETTINGS = frozenset({"enabled", "rollout_percentage", "allow_users", "deny_users", "attributes"})

Attributes = Mapping[str, str | int | bool]


class UnknownFlag(KeyError):
    """No flag has this name."""


@dataclass(frozen=True)
class Flag:
    """One feature. It is on for a user who is named, or who has every attribute and is in the rollout."""

    enabled: bool = True
    rollout_percentage: float = ROLLOUT_PERCENTAGE
    allow_users: frozenset[str] = frozenset()
    deny_users: frozenset[str] = frozenset()
    # Attribute -> the values that are targeted, such as {"country": {"SE", "NO"}}.
    attributes: Mapping[str, frozenset[str | int | bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        percentage = self.rollout_percentage
        if isinstance(percentage, bool) or not isinstance(percentage, (int, float)) or not 0 <= percentage <= 100:
            raise ValueError("rollout_percentage must be a number from 0 to 100")
        if not isinstance(self.enabled, bool):
            raise ValueError("enabled must be true or false")


@dataclass(frozen=True)
class Decision:
    """Whether a feature is on for a user, and why: for logs and support."""

    is_enabled: bool
    reason: str


def bucket_of(flag: str, user: str) -> int:
    """Return a number from 0 to 9999 that is always the same for a flag and user, and unrelated between flags."""
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    digest = hashlib.sha256(f"{len(flag)}:{flag}:{user}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


class FeatureFlags:
    """The flags of an application; they can be replaced while it runs."""

    def __init__(self, flags: Mapping[str, Flag] | None = None) -> None:
        self._lock = threading.Lock()
        self._flags = dict(flags or {})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Mapping[str, Any]]) -> "FeatureFlags":
        """Return the flags of a parsed configuration file; unknown settings are errors."""
        return cls({name: _flag(name, setting) for name, setting in settings.items()})

    def replace(self, flags: Mapping[str, Flag]) -> None:
        """Exchange all flags at once, for example after the configuration has changed."""
        with self._lock:
            self._flags = dict(flags)

    def set(self, name: str, flag: Flag) -> None:
        """Add or change one flag."""
        with self._lock:
            self._flags = {**self._flags, name: flag}

    def names(self) -> list[str]:
        """Return the names of all flags, in order."""
        with self._lock:
            return sorted(self._flags)

    def is_enabled(
        self, name: str, user: str, attributes: Attributes | None = None, *, default: bool | None = None
    ) -> bool:
        """Return whether a feature is on for a user. An unknown flag gives `default`, or raises without one."""
        try:
            return self.decide(name, user, attributes).is_enabled
        except UnknownFlag:
            if default is None:
                raise
            return default

    def decide(self, name: str, user: str, attributes: Attributes | None = None) -> Decision:
        """Return whether a feature is on for a user and the reason. The first rule that speaks decides."""
        with self._lock:
            flag = self._flags.get(name)
        if flag is None:
            raise UnknownFlag(f"there is no flag {name}")
        if not flag.enabled:
            return Decision(False, "the flag is switched off")
        if user in flag.deny_users:
            return Decision(False, "the user is excluded by name")
        if user in flag.allow_users:
            return Decision(True, "the user is included by name")
        missing = _missing_attribute(flag, attributes or {})
        if missing is not None:
            return Decision(False, f"the attribute {missing} is not targeted")
        is_in = bucket_of(name, user) < flag.rollout_percentage * BUCKETS / 100
        return Decision(is_in, f"the user is {'in' if is_in else 'outside'} the rollout of {flag.rollout_percentage}%")


def _missing_attribute(flag: Flag, attributes: Attributes) -> str | None:
    return next((name for name, values in flag.attributes.items() if attributes.get(name) not in values), None)


def _flag(name: str, setting: Mapping[str, Any]) -> Flag:
    unknown = sorted(set(setting) - KNOWN_SETTINGS)
    if unknown:
        raise ValueError(f"flag {name}: {unknown[0]} is not a setting; there are {', '.join(sorted(KNOWN_SETTINGS))}")
    try:
        return Flag(
            enabled=setting.get("enabled", True),
            rollout_percentage=setting.get("rollout_percentage", ROLLOUT_PERCENTAGE),
            allow_users=_set_of(setting.get("allow_users", ())),
            deny_users=_set_of(setting.get("deny_users", ())),
            attributes={key: _set_of(values) for key, values in setting.get("attributes", {}).items()},
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"flag {name}: {error}") from error


def _set_of(values: Collection[Any]) -> frozenset[Any]:
    # A text is a collection of letters, which is never what was meant.
    if isinstance(values, str):
        raise TypeError(f"{values!r} must be a list")
    return frozenset(values)
