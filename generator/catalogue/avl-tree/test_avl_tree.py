import math
import random

import pytest

from avl_tree import AVLTree


def check_shape(node):
    """Return the height of a subtree after checking heights, balance and order."""
    if node is None:
        return 0
    left, right = check_shape(node.left), check_shape(node.right)
    assert abs(left - right) <= 1
    assert node.height == 1 + max(left, right)
    return node.height


def check(tree, expected):
    assert list(tree) == sorted(expected)
    assert len(tree) == len(expected)
    check_shape(tree._root)


def test_items_are_kept_in_order():
    tree = AVLTree([5, 2, 8, 1])
    assert tree.insert(3)
    assert not tree.insert(3)
    check(tree, [1, 2, 3, 5, 8])
    assert 3 in tree and 4 not in tree


@pytest.mark.parametrize("items", [[1, 2, 3], [3, 2, 1], [3, 1, 2], [1, 3, 2]])
def test_each_rotation(items):
    tree = AVLTree(items)
    assert tree.height == 2
    check(tree, items)


@pytest.mark.parametrize("items", [range(1000), range(1000, 0, -1)])
def test_sorted_input_makes_no_list_of_it(items):
    tree = AVLTree(items)
    assert tree.height <= 1.44 * math.log2(1002)
    check(tree, items)


def test_removing_leaves_inner_nodes_and_the_root():
    tree = AVLTree(range(7))
    for item, rest in [(0, [1, 2, 3, 4, 5, 6]), (1, [2, 3, 4, 5, 6]), (3, [2, 4, 5, 6])]:
        assert tree.remove(item)
        check(tree, rest)
    assert not tree.remove(99)


def test_random_changes_agree_with_a_set():
    generator = random.Random(6)
    tree, expected = AVLTree(), set()
    for _ in range(3000):
        item = generator.randrange(120)
        if generator.random() < 0.5:
            assert tree.insert(item) == (item not in expected)
            expected.add(item)
        else:
            assert tree.remove(item) == (item in expected)
            expected.discard(item)
        check_shape(tree._root)
    check(tree, expected)


def test_everything_can_be_removed():
    tree = AVLTree(range(50))
    for item in range(50):
        assert tree.remove(item)
    assert (len(tree), tree.height, list(tree)) == (0, 0, [])


def test_the_ends():
    tree = AVLTree("hello")
    assert (tree.minimum(), tree.maximum()) == ("e", "o")
    for ask in (AVLTree.minimum, AVLTree.maximum):
        with pytest.raises(ValueError, match="empty"):
            ask(AVLTree())


def test_items_need_only_an_order():
    class Size:
        def __init__(self, value):
            self.value = value

        def __lt__(self, other):
            return self.value < other.value

    assert [size.value for size in AVLTree([Size(2), Size(1), Size(2)])] == [1, 2]


def test_items_that_cannot_be_compared_are_an_error():
    with pytest.raises(TypeError):
        AVLTree([1, "a"])
