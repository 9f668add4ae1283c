"""Test dev splits: whole groups, and reproducible."""

from dataclasses import dataclass

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.splits import split_by_group


@dataclass(frozen=True)
class Example:
    id: str
    group: str = ""


def make_examples(sizes: dict[str, int]) -> list[Example]:
    return [Example(f"{name}-{i}", name) for name, size in sizes.items() for i in range(size)]


def group(example: Example) -> str:
    return example.group


TEN = make_examples({f"g{i}": 10 for i in range(10)})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_each_group_is_in_train_or_dev(fraction, seed):
    train, dev = split_by_group(TEN, group, fraction, seed)
    groups = {group(e) for e in train}, {group(e) for e in dev}
    assert not groups[0] & groups[1]
    assert sorted(train + dev, key=lambda e: e.id) == sorted(TEN, key=lambda e: e.id)
    assert len(groups[1]) == min(9, max(1, round(10 * fraction)))


def test_the_split_is_reproducible():
    """It depends neither on library versions nor on the order of the examples."""
    _, dev = split_by_group(TEN, group, 0.2, seed=0)
    # Of the digests by `echo -n 0:g0 | sha256sum` and so on, those of g1 and g0 are the smallest.
    assert {group(e) for e in dev} == {"g0", "g1"}
    again = split_by_group(TEN[::-1], group, 0.2, seed=0)
    assert again == split_by_group(TEN, group, 0.2, seed=0)
    assert [e.id for e in again[0]] == sorted(e.id for e in again[0])
    assert len({tuple(split_by_group(TEN, group, 0.2, seed)[1]) for seed in range(20)}) > 10


def test_a_single_group_is_split_between_examples():
    one = make_examples({"only": 20})
    train, dev = split_by_group(one, group, 0.25, seed=3)
    assert (len(train), len(dev)) == (15, 5)


def test_a_large_group_is_in_dev_only_if_it_is_the_first():
    """Dev should have 10 of 100 examples, and one group has 60."""
    examples = make_examples({"large": 60, "a": 8, "b": 8, "c": 8, "d": 8, "e": 8})
    sizes = [len(split_by_group(examples, group, 0.1, seed)[1]) for seed in range(30)]
    assert set(sizes) == {8, 60}


def test_a_group_that_fits_by_half_is_in_dev():
    """If dev should have 3 of 8 examples, groups of 2 give 4, and for slightly fewer 2."""
    sizes = {f"g{i}": 2 for i in range(4)}
    _, dev = split_by_group(make_examples(sizes), group, 0.375, 0)
    assert len(dev) == 4
    _, dev = split_by_group(make_examples(sizes), group, 0.37, 0)
    assert len(dev) == 2
    train, dev = split_by_group(make_examples({"a": 1, "b": 1}), group, 0.99, 0)
    assert (len(train), len(dev)) == (1, 1)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fractions(fraction):
    with pytest.raises(ZooError, match="must be between 0 and 1"):
        split_by_group(TEN, group, fraction, 0)


def test_one_example_cannot_be_split():
    with pytest.raises(ZooError, match=r"Two examples are needed .* Received: 1\."):
        split_by_group(TEN[:1], group, 0.5, 0)
