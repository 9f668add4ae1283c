"""Test the checks of settings and options, and their messages."""

import pytest

from zoo.common.core.errors import ZooError, check_choice, check_range


@pytest.mark.parametrize(
    ("value", "bounds", "words"),
    [
        (0, {"above": 0}, "x must be above 0. Received: 0."),
        (0.5, {"at_least": 1}, "x must be at least 1. Received: 0.5."),
        (1, {"below": 1}, "x must be below 1. Received: 1."),
        (2, {"at_most": 1}, "x must be at most 1. Received: 2."),
        (-1, {"at_least": 0, "below": 1}, "x must be at least 0 and below 1. Received: -1."),
        (7, {"above": 0, "at_most": 1}, "x must be above 0 and at most 1. Received: 7."),
        (70_000, {"at_most": 65_536}, "x must be at most 65,536. Received: 70000."),
        (float("nan"), {"at_least": 0}, "x must be at least 0. Received: nan."),
        (float("inf"), {"above": 0}, "x must be above 0. Received: inf."),
        (float("inf"), {}, "x must be a finite number. Received: inf."),
        (10**400, {"at_most": 1}, f"x must be at most 1. Received: 1{'0' * 79}."),
    ],
)
def test_out_of_range(value, bounds, words):
    with pytest.raises(ZooError) as error:
        check_range("x", value, **bounds)
    assert str(error.value) == words


def test_in_range():
    check_range("x", -1e300)
    check_range("x", 0, at_least=0, at_most=0)
    check_range("x", 0.999, above=0, below=1)
    check_range("x", 2, at_least=1, at_most=3)


def test_choices():
    check_choice("x", "b", ("a", "b"))
    with pytest.raises(ZooError, match=r"^x must be one of 'a', 1\. Received: 'b'\.$"):
        check_choice("x", "b", iter(["a", 1]))
