def test_plain():
    assert False
