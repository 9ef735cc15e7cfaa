import random

import pytest

from graph_search import Graph

EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")]


@pytest.fixture
def graph():
    return Graph(EDGES)


def test_breadth_first_goes_by_distance(graph):
    assert list(graph.breadth_first("a")) == ["a", "b", "c", "d", "e"]
    assert list(graph.breadth_first("e")) == ["e", "d", "b", "c", "a"]


def test_depth_first_follows_each_edge_to_its_end(graph):
    assert list(graph.depth_first("a")) == ["a", "b", "d", "c", "e"]
    assert list(Graph(EDGES, directed=True).depth_first("a")) == ["a", "b", "d", "e", "c"]


def test_directed_edges_go_one_way():
    directed = Graph(EDGES, directed=True)
    assert list(directed.breadth_first("d")) == ["d", "e"]
    assert directed.neighbours("a") == ["b", "c"]


def test_paths_have_the_fewest_edges(graph):
    assert graph.path("a", "e") == ["a", "b", "d", "e"]
    assert graph.path("a", "a") == ["a"]
    assert Graph(EDGES, directed=True).path("e", "a") is None


def test_components_in_both_kinds_of_graph():
    for directed in (False, True):
        graph = Graph([("a", "b"), ("c", "d"), ("e", "b")], directed=directed)
        graph.add_node("alone")
        assert [sorted(component) for component in graph.components()] == [["a", "b", "e"], ["c", "d"], ["alone"]]


def test_cycles_of_undirected_graphs(graph):
    assert graph.find_cycle() == ["a", "b", "d", "c", "a"]
    assert Graph([("a", "b"), ("b", "c")]).find_cycle() is None
    assert Graph([("a", "b"), ("b", "a")]).find_cycle() is None


def test_cycles_of_directed_graphs():
    assert Graph(EDGES, directed=True).find_cycle() is None
    assert Graph([*EDGES, ("e", "b")], directed=True).find_cycle() == ["b", "d", "e", "b"]
    assert Graph([("a", "b"), ("b", "a")], directed=True).find_cycle() == ["a", "b", "a"]


def test_an_edge_to_itself_is_a_cycle():
    for directed in (False, True):
        assert Graph([("x", "a"), ("a", "a")], directed=directed).find_cycle() == ["a", "a"]


def test_an_empty_graph():
    graph = Graph()
    assert (graph.nodes, graph.components(), graph.find_cycle()) == ([], [], None)


def test_none_can_be_a_node():
    graph = Graph([(None, 0), (0, "end")])
    assert list(graph.depth_first(None)) == [None, 0, "end"]
    assert graph.path("end", None) == ["end", 0, None]


def test_long_chains_need_no_recursion():
    chain = Graph(((number, number + 1) for number in range(20_000)), directed=True)
    assert len(list(chain.depth_first(0))) == 20_001
    assert len(chain.path(0, 20_000)) == 20_001
    chain.add_edge(20_000, 0)
    assert len(chain.find_cycle()) == 20_002


def test_searches_are_lazy(graph):
    search = graph.depth_first("a")
    assert next(search) == "a"
    graph.add_edge("b", "new")
    assert "new" in list(search)


def test_random_graphs_agree_with_each_other():
    generator = random.Random(2)
    for _ in range(200):
        edges = [(generator.randrange(8), generator.randrange(8)) for _ in range(generator.randrange(10))]
        edges = [edge for edge in edges if edge[0] != edge[1]]
        graph = Graph(edges)
        for node in graph.nodes:
            reached = set(graph.breadth_first(node))
            assert reached == set(graph.depth_first(node))
            assert reached == set(next(component for component in graph.components() if node in component))
        # A forest has as many edges as nodes, less one for each component.
        distinct = {frozenset(edge) for edge in edges}
        is_forest = len(distinct) == len(graph.nodes) - len(graph.components())
        assert (graph.find_cycle() is None) == is_forest


def test_unknown_nodes_are_refused(graph):
    searches = (lambda: list(graph.breadth_first("x")), lambda: list(graph.depth_first("x")))
    for call in (lambda: graph.path("a", "x"), lambda: graph.path("x", "a"), lambda: graph.neighbours("x"), *searches):
        with pytest.raises(KeyError, match="unknown node 'x'"):
            call()
