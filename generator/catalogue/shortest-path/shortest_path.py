"""Cheapest routes in a weighted, directed graph (Dijkstra's algorithm)."""

import heapq
from collections.abc import Hashable, ItemsView, Iterator
from itertools import count
from math import isnan


class NoPath(LookupError):
    """The goal cannot be reached from the start."""


class Graph:
    """A directed graph with weights of zero or more; nodes are any hashable values."""

    def __init__(self) -> None:
        self._edges: dict[Hashable, dict[Hashable, float]] = {}

    def add_node(self, node: Hashable) -> None:
        """Add a node; adding it again changes nothing."""
        self._edges.setdefault(node, {})

    def add_edge(self, source: Hashable, target: Hashable, weight: float = 1, *, both_ways: bool = False) -> None:
        """Add an edge; of parallel edges only the lightest counts."""
        if isnan(weight) or weight < 0:
            raise ValueError("a weight must be zero or more")
        self.add_node(source)
        self.add_node(target)
        for start, end in [(source, target), (target, source)] if both_ways else [(source, target)]:
            known = self._edges[start].get(end)
            self._edges[start][end] = weight if known is None else min(known, weight)

    def neighbours(self, node: Hashable) -> ItemsView[Hashable, float]:
        """Return the (target, weight) pairs of the edges that leave `node`."""
        return self._edges[node].items()

    def __contains__(self, node: Hashable) -> bool:
        return node in self._edges

    def _require(self, *nodes: Hashable) -> None:
        if any(node not in self._edges for node in nodes):
            raise KeyError("the graph has no such node")

    def _settle(self, start: Hashable) -> Iterator[tuple[Hashable, float, Hashable]]:
        """Yield (node, distance, previous) by growing distance."""
        # The counter breaks ties, so that nodes are never compared.
        tie = count()
        frontier: list[tuple[float, int, Hashable, Hashable]] = [(0, next(tie), start, None)]
        settled: set[Hashable] = set()
        while frontier:
            distance, _, node, previous = heapq.heappop(frontier)
            if node in settled:
                continue
            settled.add(node)
            yield node, distance, previous
            for target, weight in self.neighbours(node):
                if target not in settled:
                    heapq.heappush(frontier, (distance + weight, next(tie), target, node))

    def distances(self, start: Hashable) -> dict[Hashable, float]:
        """Return the distance from `start` to each node that can be reached."""
        self._require(start)
        return {node: distance for node, distance, _ in self._settle(start)}

    def shortest_path(self, start: Hashable, goal: Hashable) -> tuple[float, list[Hashable]]:
        """Return (distance, nodes from start to goal), or raise `NoPath`."""
        self._require(start, goal)
        came_from: dict[Hashable, Hashable] = {}
        for node, distance, previous in self._settle(start):
            came_from[node] = previous
            if node == goal:
                return distance, _walk_back(came_from, start, goal)
        raise NoPath("the goal cannot be reached")


def _walk_back(came_from: dict[Hashable, Hashable], start: Hashable, goal: Hashable) -> list[Hashable]:
    path = [goal]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]
