"""Dev splits: whole groups, always the same ones."""

from dataclasses import dataclass

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.splits import split_by_group


@dataclass(frozen=True)
class Example:
    id: str
    group: str = ""


def of_groups(sizes: dict[str, int]) -> list[Example]:
    return [Example(f"{name}-{i}", name) for name, size in sizes.items() for i in range(size)]


def group(example: Example) -> str:
    return example.group


TEN = of_groups({f"g{i}": 10 for i in range(10)})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_no_group_is_in_both_parts_and_none_is_empty(fraction, seed):
    train, dev = split_by_group(TEN, group, fraction, seed)
    groups = {group(e) for e in train}, {group(e) for e in dev}
    assert not groups[0] & groups[1]
    assert sorted(train + dev, key=lambda e: e.id) == sorted(TEN, key=lambda e: e.id)
    assert len(groups[1]) == min(9, max(1, round(10 * fraction)))


def test_the_split_is_one_for_ever():
    """A run that is resumed, or made anew in ten years, has the dev split it had."""
    _, dev = split_by_group(TEN, group, 0.2, seed=0)
    # Of `echo -n 0:g0 | sha256sum` and so on, those of g1 and g0 are the first.
    assert {group(e) for e in dev} == {"g0", "g1"}
    again = split_by_group(TEN[::-1], group, 0.2, seed=0)
    assert again == split_by_group(TEN, group, 0.2, seed=0)
    assert [e.id for e in again[0]] == sorted(e.id for e in again[0])
    assert len({tuple(split_by_group(TEN, group, 0.2, seed)[1]) for seed in range(20)}) > 10


def test_examples_of_one_group_are_split_between_examples():
    one = of_groups({"only": 20})
    train, dev = split_by_group(one, group, 0.25, seed=3)
    assert (len(train), len(dev)) == (15, 5)


def test_a_large_group_does_not_swell_dev():
    """Of 100 examples 10 are wanted: a group of 60 is added to none, unless it is the first drawn."""
    examples = of_groups({"large": 60, "a": 8, "b": 8, "c": 8, "d": 8, "e": 8})
    sizes = [len(split_by_group(examples, group, 0.1, seed)[1]) for seed in range(30)]
    assert set(sizes) == {8, 60}


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fractions(fraction):
    with pytest.raises(ZooError, match="must be between 0 and 1"):
        split_by_group(TEN, group, fraction, 0)


def test_one_example_cannot_be_split():
    with pytest.raises(ZooError, match=r"Two examples are needed .* Received: 1\."):
        split_by_group(TEN[:1], group, 0.5, 0)
