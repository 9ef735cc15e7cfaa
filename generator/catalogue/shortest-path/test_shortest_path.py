import random

import pytest

from shortest_path import Graph, NoPath


def graph_of(*edges):
    graph = Graph()
    for edge in edges:
        graph.add_edge(*edge)
    return graph


def test_a_detour_can_be_cheaper():
    graph = graph_of(("a", "c", 10), ("a", "b", 3), ("b", "c", 4), ("c", "d", 1))
    assert graph.shortest_path("a", "d") == (8, ["a", "b", "c", "d"])
    assert graph.distances("a") == {"a": 0, "b": 3, "c": 7, "d": 8}


def test_edges_have_a_direction_unless_asked():
    graph = graph_of(("a", "b", 1))
    with pytest.raises(NoPath):
        graph.shortest_path("b", "a")
    graph.add_edge("b", "c", 2, both_ways=True)
    assert graph.shortest_path("c", "b") == (2, ["c", "b"])


def test_start_and_goal_may_be_the_same():
    graph = Graph()
    graph.add_node("a")
    assert graph.shortest_path("a", "a") == (0, ["a"])


def test_cycles_loops_zero_weights_and_parallel_edges():
    graph = graph_of(("a", "a", 1), ("a", "b", 0), ("b", "a", 0), ("b", "c", 9), ("b", "c", 2), ("b", "c", 5))
    assert graph.shortest_path("a", "c") == (2, ["a", "b", "c"])


def test_none_can_be_a_node_and_nodes_are_never_compared():
    first, second = object(), object()
    graph = graph_of((None, first, 1), (None, second, 1), (first, "end", 1), (second, "end", 1))
    distance, path = graph.shortest_path(None, "end")
    assert (distance, path[0], path[-1], len(path)) == (2, None, "end", 3)


@pytest.mark.parametrize("weight", [-1, -0.001, float("nan")])
def test_weights_that_break_the_algorithm_are_refused(weight):
    with pytest.raises(ValueError):
        Graph().add_edge("a", "b", weight)


def test_unknown_nodes():
    graph = graph_of(("a", "b", 1))
    for call in (lambda: graph.shortest_path("a", "x"), lambda: graph.shortest_path("x", "a"), lambda: graph.distances("x")):
        with pytest.raises(KeyError):
            call()
    assert "a" in graph
    assert "x" not in graph


def test_random_graphs_agree_with_relaxing_every_edge():
    generator = random.Random(5)
    for _ in range(60):
        edges = [(generator.randrange(8), generator.randrange(8), generator.randrange(10)) for _ in range(20)]
        graph = graph_of(*edges)
        start = edges[0][0]
        expected = {start: 0}
        for _ in range(8):
            for source, target, weight in edges:
                if source in expected:
                    expected[target] = min(expected.get(target, 10**9), expected[source] + weight)
        assert graph.distances(start) == expected
        for goal, distance in expected.items():
            found, path = graph.shortest_path(start, goal)
            steps = [dict(graph.neighbours(a))[b] for a, b in zip(path, path[1:])]
            assert (found, sum(steps), path[0], path[-1]) == (distance, distance, start, goal)
