import random

import pytest

from binary_tree import BinarySearchTree

#        50
#    30      70
#  20  40  60  80
VALUES = [50, 30, 70, 20, 40, 60, 80]


def test_traversals():
    tree = BinarySearchTree(VALUES)
    assert tree.inorder() == [20, 30, 40, 50, 60, 70, 80]
    assert tree.preorder() == [50, 30, 20, 40, 70, 60, 80]
    assert tree.postorder() == [20, 40, 30, 60, 80, 70, 50]
    assert tree.level_order() == [50, 30, 70, 20, 40, 60, 80]


def test_an_empty_tree():
    tree = BinarySearchTree()
    assert (len(tree), tree.height(), tree.inorder(), tree.preorder(), tree.postorder()) == (0, 0, [], [], [])
    assert 1 not in tree
    assert not tree.remove(1)
    for outermost in (tree.minimum, tree.maximum):
        with pytest.raises(ValueError, match="empty"):
            outermost()


def test_searching_and_ends():
    tree = BinarySearchTree(VALUES)
    assert all(value in tree for value in VALUES)
    assert 55 not in tree
    assert (tree.minimum(), tree.maximum(), tree.height(), len(tree)) == (20, 80, 3, 7)


def test_duplicates_are_not_added():
    tree = BinarySearchTree()
    assert tree.insert(1)
    assert not tree.insert(1)
    assert len(tree) == 1


@pytest.mark.parametrize("value", VALUES)
def test_removing_each_keeps_the_order(value):
    tree = BinarySearchTree(VALUES)
    assert tree.remove(value)
    assert value not in tree
    assert tree.inorder() == sorted(set(VALUES) - {value})
    assert len(tree) == 6


def test_removing_the_root_takes_the_successor():
    tree = BinarySearchTree(VALUES)
    tree.remove(50)
    assert tree.level_order() == [60, 30, 70, 20, 40, 80]


def test_removing_a_node_with_one_child():
    tree = BinarySearchTree([10, 5, 3])
    tree.remove(5)
    assert tree.level_order() == [10, 3]
    tree.remove(10)
    assert tree.level_order() == [3]


def test_it_agrees_with_a_set_in_a_thousand_random_steps():
    numbers = random.Random(7)
    tree, expected = BinarySearchTree(), set()
    for _ in range(1_000):
        value = numbers.randrange(40)
        if numbers.random() < 0.5:
            assert tree.insert(value) is (value not in expected)
            expected.add(value)
        else:
            assert tree.remove(value) is (value in expected)
            expected.discard(value)
        assert tree.inorder() == sorted(expected)
        assert len(tree) == len(expected)


def test_a_degenerate_tree_needs_no_recursion():
    tree = BinarySearchTree(range(3_000))
    assert tree.height() == 3_000
    assert tree.inorder() == list(range(3_000))
    assert tree.postorder() == list(range(2_999, -1, -1))


def test_other_types_in_order():
    assert list(BinarySearchTree(["pear", "apple", "fig"])) == ["apple", "fig", "pear"]
    with pytest.raises(TypeError):
        BinarySearchTree([1, "one"])
