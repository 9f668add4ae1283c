"""Test batches: padding, batches of examples of similar lengths, batches for an evaluation."""

from dataclasses import dataclass

import numpy as np
import pytest

from zoo.common.core.data import Batches, Data
from zoo.common.core.errors import ZooError
from zoo.common.data.batching import (
    WINDOW,
    evaluation_batches,
    keep_readable,
    pad,
    pad_to_multiple,
    shuffled_windows,
)


def test_padding():
    rows = [np.array([1, 2, 3], np.int32), np.array([], np.int32), np.array([4], np.int32)]
    batch, lengths = pad(rows, fill=9)
    np.testing.assert_array_equal(batch, [[1, 2, 3], [9, 9, 9], [4, 9, 9]])
    np.testing.assert_array_equal(lengths, [3, 0, 1])
    assert batch.dtype == lengths.dtype == np.int32


def test_padding_of_features():
    rows = [np.ones((2, 3), np.float32), np.full((1, 3), 2, np.float32)]
    batch, lengths = pad(rows)
    assert (batch.shape, batch.dtype) == ((2, 2, 3), np.float32)
    np.testing.assert_array_equal(batch[1], [[2, 2, 2], [0, 0, 0]])
    np.testing.assert_array_equal(lengths, [2, 1])
    assert pad([[], []])[0].shape == (2, 0)


@pytest.mark.parametrize(("of", "time_steps"), [(1, 3), (2, 4), (3, 3), (7, 7)])
def test_padding_to_a_multiple(of, time_steps):
    padded = pad_to_multiple(np.ones((2, 3, 5), np.float32), of)
    assert (padded.shape, padded.dtype) == ((2, time_steps, 5), np.float32)
    assert (padded[:, :3] == 1).all()
    assert (padded[:, 3:] == 0).all()


def test_an_epoch_has_every_example_once_in_batches_of_similar_lengths():
    lengths = np.random.default_rng(0).permutation(1000)
    batches = list(shuffled_windows(lengths, 4, np.random.default_rng(1)))
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    assert [len(batch) for batch in batches] == [4] * 250
    spread = np.mean([np.ptp(lengths[batch]) for batch in batches])
    at_random = np.mean([np.ptp(lengths[i : i + 4]) for i in range(0, 1000, 4)])
    assert spread < 2 * at_random / WINDOW


def test_a_window_is_sorted_by_length():
    """The batches of one window are sorted; equal lengths and the rest of the examples are kept."""
    lengths = [5, 3, 9, 3, 1, 7, 7]
    batches = list(shuffled_windows(lengths, 3, np.random.default_rng(0)))
    found = sorted([[lengths[i] for i in batch] for batch in batches])
    assert found == [[1, 3, 3], [5, 7, 7], [9]]
    pairs = [(1, 9), (1, 2), (0, 5)]
    (batch,) = shuffled_windows(pairs, 8, np.random.default_rng(0))
    assert batch == [2, 1, 0]


def test_windows_are_drawn_anew():
    """With more examples than a window has, the batches of two epochs differ."""
    lengths, generator = list(range(2 * WINDOW * 2)), np.random.default_rng(0)
    first, second = (
        {tuple(sorted(b)) for b in shuffled_windows(lengths, 2, generator)} for _ in "ab"
    )
    assert first != second
    order = list(shuffled_windows(lengths[: 2 * WINDOW], 2, np.random.default_rng(0)))
    assert order != sorted(order)


def test_batches_depend_on_the_generator_only():
    lengths = list(range(50))

    def epoch(seed):
        return list(shuffled_windows(lengths, 8, np.random.default_rng(seed)))

    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)
    assert sum(map(len, epoch(1))) == 50


@dataclass(frozen=True)
class Example:
    size: int


class Sized(Data):
    """Examples with a length equal to their size; one with size 7 is unreadable."""

    def sort_key(self, example):
        return example.size

    def read_example(self, example, model):
        if example.size == 7:
            raise ZooError("seven cannot be read")
        return {"x": np.full(example.size, example.size)}

    def collate(self, items):
        return dict(zip(("x", "lengths"), pad([item["x"] for item in items]), strict=True))


class Unsized(Sized):
    sort_key = Data.sort_key


Sized.__abstractmethods__ = Unsized.__abstractmethods__ = frozenset()


def test_evaluation_sorts_by_length_and_skips_unreadable_examples():
    examples = [Example(size) for size in (5, 7, 1, 3, 8, 2)]
    errors: dict[int, str] = {}
    batches = list(evaluation_batches(Sized(), None, examples, errors, batch_size=2))
    assert [indices for indices, _ in batches] == [[2, 5], [3, 0], [4]]
    assert [inputs["lengths"].tolist() for _, inputs in batches] == [[1, 2], [3, 5], [8]]
    assert errors == {1: "seven cannot be read"}


def test_evaluation_with_another_reader():
    batches = evaluation_batches(
        Sized(), None, [Example(2), Example(7)], {}, read=lambda e: {"x": np.zeros(e.size + 1)}
    )
    assert [inputs["lengths"].tolist() for _, inputs in batches] == [[3, 8]]


def test_a_batch_without_readable_examples_is_skipped():
    errors: dict[int, str] = {}
    assert list(evaluation_batches(Sized(), None, [Example(7)] * 3, errors)) == []
    assert list(errors) == [0, 1, 2]


def test_batches_are_repeatable():
    batches = Batches(lambda: iter([1, 2]), ({}, {}), 2)
    assert list(batches) == list(batches) == [1, 2]


@pytest.mark.parametrize("count", [1, 16, 17])
def test_examples_without_a_length_keep_their_order(count):
    examples = [Example(100 - i) for i in range(count)]
    batches = evaluation_batches(Unsized(), None, examples, {})
    found = [(indices, inputs["lengths"].tolist()) for indices, inputs in batches]
    assert [i for indices, _ in found for i in indices] == list(range(count))
    assert all([100 - i for i in indices] == lengths for indices, lengths in found)
    assert [len(indices) for indices, _ in found] == ([16] if count > 15 else []) + (
        [count % 16] if count % 16 else []
    )


def read_word(example: str) -> dict:
    if not example.isalpha():
        raise ZooError("not a word")
    return {"x": np.array([len(example)])}


def test_unreadable_examples_are_left_out_and_counted():
    assert keep_readable(["a", "1", "b", ""], read_word, "odd") == (["a", "b"], {"odd": 2})
    assert keep_readable(["a", "b"], read_word, "odd") == (["a", "b"], {})
    with pytest.raises(ZooError, match=r"No example is usable: all 2 are odd\."):
        keep_readable(["1", ""], read_word, "odd")
