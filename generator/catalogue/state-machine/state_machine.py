"""A finite state machine from a table of transitions, with guards, hooks and a history."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

State = TypeVar("State", bound=Hashable)
Event = TypeVar("Event", bound=Hashable)

HISTORY_LIMIT = 100

Guard = Callable[..., bool]
Hook = Callable[..., object]


class IllegalTransition(Exception):
    """The event is not allowed in the current state; nothing has changed."""

    def __init__(self, state: Any, event: Any, allowed: list[Any], reason: str) -> None:
        events = ", ".join(map(repr, allowed)) or "none"
        super().__init__(f"{event!r} is not allowed in state {state!r}: {reason}; allowed events: {events}")
        self.state = state
        self.event = event
        self.allowed = allowed


@dataclass(frozen=True)
class Transition(Generic[State, Event]):
    """On `event` go from `source` to `target`, if `guard` agrees; `action` runs before the state changes."""

    source: State
    event: Event
    target: State
    guard: Guard | None = None
    action: Hook | None = None


class StateMachine(Generic[State, Event]):
    """Hold a current state and change it by events, only along the transitions of its table."""

    def __init__(
        self, initial: State, transitions: Iterable[Transition[State, Event]], *, history_limit: int = HISTORY_LIMIT
    ) -> None:
        if history_limit < 0:
            raise ValueError("history_limit must not be negative")
        self._table: dict[tuple[State, Event], list[Transition[State, Event]]] = {}
        self._states: set[State] = {initial}
        for transition in transitions:
            self._add(transition)
        if not any(source == initial for source, _ in self._table):
            raise ValueError(f"no transition leaves the initial state {initial!r}")
        self._state = initial
        self._is_firing = False
        self._on_enter: dict[State, list[Hook]] = {}
        self._on_exit: dict[State, list[Hook]] = {}
        self._history: deque[tuple[State, Event, State]] = deque(maxlen=history_limit)

    def _add(self, transition: Transition[State, Event]) -> None:
        rivals = self._table.setdefault((transition.source, transition.event), [])
        if any(rival.guard is None for rival in rivals):
            name = f"{transition.event!r} in state {transition.source!r}"
            raise ValueError(f"{name} can never reach {transition.target!r}: an earlier transition has no guard")
        rivals.append(transition)
        self._states |= {transition.source, transition.target}

    @property
    def state(self) -> State:
        """The current state."""
        return self._state

    @property
    def history(self) -> list[tuple[State, Event, State]]:
        """The latest changes as (from, event, to), the oldest first."""
        return list(self._history)

    @property
    def is_final(self) -> bool:
        """Whether no transition leaves the current state."""
        return not self.events()

    def events(self) -> list[Event]:
        """Return the events that have a transition from the current state; guards are not asked."""
        return [event for source, event in self._table if source == self._state]

    def can(self, event: Event, *args: Any, **kwargs: Any) -> bool:
        """Return whether `fire` with the same arguments would find a transition."""
        return self._find(event, args, kwargs) is not None

    def on_enter(self, state: State, hook: Hook) -> None:
        """Call `hook` with the arguments of the event after each change to `state`."""
        self._on_enter.setdefault(self._known(state), []).append(hook)

    def on_exit(self, state: State, hook: Hook) -> None:
        """Call `hook` with the arguments of the event before each change from `state`."""
        self._on_exit.setdefault(self._known(state), []).append(hook)

    def _known(self, state: State) -> State:
        if state not in self._states:
            raise ValueError(f"unknown state {state!r}")
        return state

    def _find(self, event: Event, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Transition[State, Event] | None:
        for transition in self._table.get((self._state, event), []):
            if transition.guard is None or transition.guard(*args, **kwargs):
                return transition
        return None

    def fire(self, event: Event, *args: Any, **kwargs: Any) -> State:
        """Change the state by `event` and return the new one; the arguments go to guard, action and hooks.

        Raises `IllegalTransition` if no transition applies. If a guard, an exit hook or the action fails, the state
        stays; if an enter hook fails, the change has already happened.
        """
        if self._is_firing:
            raise RuntimeError("fire was called from a guard, hook or action of this machine")
        self._is_firing = True
        try:
            return self._change(event, args, kwargs)
        finally:
            self._is_firing = False

    def _change(self, event: Event, args: tuple[Any, ...], kwargs: dict[str, Any]) -> State:
        transition = self._find(event, args, kwargs)
        if transition is None:
            is_guarded = (self._state, event) in self._table
            reason = "every guard refused" if is_guarded else "there is no such transition"
            raise IllegalTransition(self._state, event, self.events(), reason)
        for hook in self._on_exit.get(self._state, []):
            hook(*args, **kwargs)
        if transition.action is not None:
            transition.action(*args, **kwargs)
        self._history.append((self._state, event, transition.target))
        self._state = transition.target
        for hook in self._on_enter.get(self._state, []):
            hook(*args, **kwargs)
        return self._state


def unreachable(initial: State, transitions: Iterable[Transition[State, Event]]) -> set[State]:
    """Return the states that no sequence of events can reach from `initial`: a check for the table."""
    table = list(transitions)
    states = {initial} | {each.source for each in table} | {each.target for each in table}
    reached, pending = {initial}, [initial]
    while pending:
        source = pending.pop()
        found = {each.target for each in table if each.source == source} - reached
        reached |= found
        pending.extend(found)
    return states - reached
