import pytest

@pytest.mark.parametrize("value", ["<script>", "a\r\nb", "\x1b[2J", "\u202e", "nul\0"], ids=str)
def test_name(value):
    assert not value
