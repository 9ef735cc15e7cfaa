"""Order items so that each comes after what it depends on, or report a cycle."""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Hashable)


class CycleError(ValueError):
    """No order exists; `cycle` lists nodes that depend on the next one each, the first again at the end."""

    def __init__(self, cycle: list[Any]) -> None:
        super().__init__("the dependencies form a cycle: " + " -> ".join(map(str, cycle)))
        self.cycle = cycle


def topological_sort(dependencies: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """Return all nodes, each after its dependencies; independent nodes keep the order of their first mention.

    `dependencies` maps a node to the nodes that must come before it. Raises `CycleError` if there is no such order.
    """
    return [node for layer in topological_layers(dependencies) for node in layer]


def topological_layers(dependencies: Mapping[Node, Iterable[Node]]) -> list[list[Node]]:
    """Return the nodes in layers: the nodes of a layer depend on earlier layers only, so they can be done together."""
    graph = _normalized(dependencies)
    dependents: dict[Node, list[Node]] = {node: [] for node in graph}
    waiting_for: dict[Node, int] = {}
    for node, needed in graph.items():
        waiting_for[node] = len(needed)
        for dependency in needed:
            dependents[dependency].append(node)
    layers = []
    position = {node: index for index, node in enumerate(graph)}
    ready = [node for node, count in waiting_for.items() if count == 0]
    done = 0
    while ready:
        layers.append(ready)
        done += len(ready)
        ready = sorted(_released(ready, dependents, waiting_for), key=position.__getitem__)
    if done < len(graph):
        raise CycleError(_cycle_among(graph, {node for node, count in waiting_for.items() if count}))
    return layers


def _released(done: list[Node], dependents: Mapping[Node, list[Node]], waiting_for: dict[Node, int]) -> Iterator[Node]:
    """Yield the nodes that waited for nothing but `done`."""
    for dependent in chain.from_iterable(dependents[node] for node in done):
        waiting_for[dependent] -= 1
        if waiting_for[dependent] == 0:
            yield dependent


def _normalized(dependencies: Mapping[Node, Iterable[Node]]) -> dict[Node, dict[Node, None]]:
    """Return a copy with every node as a key, and dependencies without repetitions, in their order."""
    graph: dict[Node, dict[Node, None]] = {}
    for node, needed in dependencies.items():
        if isinstance(needed, (str, bytes)):
            raise TypeError(f"the dependencies of {node!r} must be a list, not one text")
        graph[node] = dict.fromkeys(needed)
    for needed in list(graph.values()):
        for dependency in needed:
            graph.setdefault(dependency, {})
    return graph


def _cycle_among(graph: Mapping[Node, Mapping[Node, None]], unfinished: set[Node]) -> list[Node]:
    # Each unfinished node waits for an unfinished one, so following them must come back to a node on the way.
    node = next(each for each in graph if each in unfinished)
    way: dict[Node, int] = {}
    while node not in way:
        way[node] = len(way)
        node = next(each for each in graph[node] if each in unfinished)
    return [*list(way)[way[node] :], node]


def find_cycle(dependencies: Mapping[Node, Iterable[Node]]) -> list[Node] | None:
    """Return a cycle as in `CycleError.cycle`, or None if there is none."""
    try:
        topological_layers(dependencies)
    except CycleError as error:
        return error.cycle
    return None


def dependents_of(dependencies: Mapping[Node, Iterable[Node]], changed: Iterable[Node]) -> list[Node]:
    """Return `changed` and everything that depends on it, directly or not, in topological order: what to redo."""
    affected = deque(changed)
    graph = _normalized(dependencies)
    unknown = [node for node in affected if node not in graph]
    if unknown:
        raise KeyError(f"unknown node {unknown[0]!r}")
    reached = set(affected)
    dependents: dict[Node, list[Node]] = {node: [] for node in graph}
    for node, needed in graph.items():
        for dependency in needed:
            dependents[dependency].append(node)
    while affected:
        for dependent in dependents[affected.popleft()]:
            if dependent not in reached:
                reached.add(dependent)
                affected.append(dependent)
    return [node for node in topological_sort(graph) if node in reached]
