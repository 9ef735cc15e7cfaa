"""Breadth-first and depth-first search, components and cycles of a graph."""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)


class Graph(Generic[Node]):
    """A graph of hashable nodes; edges go both ways unless it is `directed`."""

    def __init__(self, edges: Iterable[tuple[Node, Node]] = (), *, directed: bool = False) -> None:
        self.directed = directed
        # Dictionaries instead of sets keep the order of the edges, so that every search is repeatable.
        self._neighbours: dict[Node, dict[Node, None]] = {}
        for source, target in edges:
            self.add_edge(source, target)

    def add_node(self, node: Node) -> None:
        """Add a node; adding it again changes nothing."""
        self._neighbours.setdefault(node, {})

    def add_edge(self, source: Node, target: Node) -> None:
        """Add an edge and its nodes; adding it again changes nothing."""
        self.add_node(source)
        self.add_node(target)
        self._neighbours[source][target] = None
        if not self.directed:
            self._neighbours[target][source] = None

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in the order of their first mention."""
        return list(self._neighbours)

    def neighbours(self, node: Node) -> list[Node]:
        """Return the nodes that an edge leads to from `node`."""
        return list(self._neighbours[self._known(node)])

    def _known(self, node: Node) -> Node:
        if node not in self._neighbours:
            raise KeyError(f"unknown node {node!r}")
        return node

    def breadth_first(self, start: Node) -> Iterator[Node]:
        """Yield the nodes that can be reached from `start`, the nearest first."""
        yield from self._previous_nodes(start)

    def _previous_nodes(self, start: Node) -> dict[Node, Node | None]:
        """Return for each reachable node, by distance, the node before it on a shortest path."""
        previous: dict[Node, Node | None] = {self._known(start): None}
        pending = deque([start])
        while pending:
            node = pending.popleft()
            for neighbour in self._neighbours[node]:
                if neighbour not in previous:
                    previous[neighbour] = node
                    pending.append(neighbour)
        return previous

    def depth_first(self, start: Node) -> Iterator[Node]:
        """Yield the nodes that can be reached from `start`, following each edge as far as possible before the next."""
        seen = {self._known(start)}
        yield start
        # A stack of iterators instead of recursion, so that depth is limited by memory only.
        branches = [iter(self.neighbours(start))]
        while branches:
            for node in branches[-1]:
                if node not in seen:
                    seen.add(node)
                    yield node
                    branches.append(iter(self.neighbours(node)))
                    break
            else:
                branches.pop()

    def path(self, start: Node, goal: Node) -> list[Node] | None:
        """Return the nodes of a path with the fewest edges, or None if `goal` cannot be reached."""
        self._known(goal)
        previous = self._previous_nodes(start)
        if goal not in previous:
            return None
        way = [goal]
        while way[-1] != start:
            way.append(previous[way[-1]])  # type: ignore[arg-type]
        return way[::-1]

    def components(self) -> list[list[Node]]:
        """Return the connected components; in a directed graph edges count both ways for this."""
        both_ways: Graph[Node] = Graph()
        for node in self.nodes:
            both_ways.add_node(node)
            for neighbour in self._neighbours[node]:
                both_ways.add_edge(node, neighbour)
        seen: set[Node] = set()
        found = []
        for node in self.nodes:
            if node not in seen:
                component = list(both_ways.breadth_first(node))
                seen.update(component)
                found.append(component)
        return found

    def find_cycle(self) -> list[Node] | None:
        """Return the nodes of a cycle, the first again at the end, or None. An undirected edge alone is no cycle."""
        finished: set[Node] = set()
        for start in self.nodes:
            if start not in finished:
                cycle = self._cycle_from(start, finished)
                if cycle is not None:
                    return cycle
        return None

    def _cycle_from(self, start: Node, finished: set[Node]) -> list[Node] | None:
        # The way from the start to the current node, with the neighbours that each has left.
        way: dict[Node, Iterator[Node]] = {start: self._onward(start, [])}
        while way:
            node = next(reversed(way))
            for neighbour in way[node]:
                if neighbour in way:
                    nodes = list(way)
                    return [*nodes[nodes.index(neighbour) :], neighbour]
                if neighbour not in finished:
                    way[neighbour] = self._onward(neighbour, [node])
                    break
            else:
                finished.add(node)
                del way[node]
        return None

    def _onward(self, node: Node, came_from: list[Node]) -> Iterator[Node]:
        """Return the neighbours without the edge by which an undirected search came."""
        if self.directed:
            return iter(self.neighbours(node))
        return iter([each for each in self.neighbours(node) if each not in came_from])
