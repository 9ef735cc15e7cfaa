import random

import pytest

from topological_sort import CycleError, dependents_of, find_cycle, topological_layers, topological_sort

BUILD = {"deploy": ["test", "package"], "test": ["compile"], "package": ["compile"], "compile": ["fetch"]}


def test_each_node_comes_after_its_dependencies():
    assert topological_sort(BUILD) == ["fetch", "compile", "test", "package", "deploy"]


def test_layers_can_be_done_together():
    assert topological_layers(BUILD) == [["fetch"], ["compile"], ["test", "package"], ["deploy"]]


def test_independent_nodes_keep_their_order():
    assert topological_sort({"c": [], "a": [], "b": []}) == ["c", "a", "b"]


def test_nothing_and_repeated_dependencies():
    assert topological_sort({}) == []
    assert topological_sort({"b": ["a", "a"]}) == ["a", "b"]
    assert topological_sort({"b": (name for name in "a")}) == ["a", "b"]


def test_a_cycle_is_reported_as_a_path():
    with pytest.raises(CycleError, match="b -> c -> d -> b") as caught:
        topological_sort({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"], "e": []})
    assert caught.value.cycle == ["b", "c", "d", "b"]


def test_a_node_that_depends_on_itself_is_a_cycle():
    assert find_cycle({"a": ["a"]}) == ["a", "a"]
    assert find_cycle(BUILD) is None


def test_nodes_behind_a_cycle_are_not_part_of_it():
    cycle = find_cycle({"x": ["y"], "y": ["z"], "z": ["y"], "w": ["x"]})
    assert set(cycle) == {"y", "z"}


def test_nodes_can_be_anything_hashable_and_are_never_compared():
    first, second = object(), (1, "x")
    assert topological_sort({first: [second, None]}) == [second, None, first]


def test_what_depends_on_a_change():
    assert dependents_of(BUILD, ["test"]) == ["test", "deploy"]
    assert dependents_of(BUILD, ["package", "test"]) == ["test", "package", "deploy"]
    assert dependents_of(BUILD, ["fetch"]) == topological_sort(BUILD)
    assert dependents_of(BUILD, []) == []
    with pytest.raises(KeyError, match="unknown node 'lint'"):
        dependents_of(BUILD, ["lint"])


def test_long_chains_need_no_recursion():
    chain = {number: [number + 1] for number in range(50_000)}
    assert topological_sort(chain)[0] == 50_000
    chain[50_000] = [0]
    assert len(find_cycle(chain)) == 50_002


def test_random_graphs_are_ordered_or_have_a_real_cycle():
    generator = random.Random(11)
    cycles = 0
    for _ in range(200):
        graph = {node: generator.sample(range(8), generator.randrange(3)) for node in range(8)}
        cycle = find_cycle(graph)
        if cycle is None:
            order = topological_sort(graph)
            assert sorted(order) == list(range(8))
            assert all(order.index(needed) < order.index(node) for node, deps in graph.items() for needed in deps)
        else:
            cycles += 1
            assert cycle[0] == cycle[-1]
            assert all(after in graph[before] for before, after in zip(cycle, cycle[1:]))
    assert 0 < cycles < 200


def test_a_text_instead_of_a_list_is_refused():
    with pytest.raises(TypeError, match="dependencies of 'a' must be a list"):
        topological_sort({"a": "bc"})
