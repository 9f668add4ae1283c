"""Compare alignments with a search over all paths."""

import itertools

import numpy as np
import pytest

from tests.common.ctc.every_path import labellings, log_softmax
from zoo.common.core.errors import ZooError
from zoo.common.ctc.alignment import align
from zoo.common.data.labels import BLANK_INDEX


@pytest.mark.parametrize("labels", [[1, 2], [3, 3], [2, 1, 2], [1], [], [1, 2, 3, 1, 2, 3]])
def test_alignment_is_the_best_path(labels):
    logits = np.random.RandomState(len(labels)).standard_normal((6, 4))
    _, path, score = labellings(logits)[tuple(labels)]
    alignment = align(logits, labels)
    assert alignment.log_probability == pytest.approx(score)
    runs = []
    for symbol, frames in itertools.groupby(range(6), key=lambda frame: path[frame]):
        if symbol != BLANK_INDEX:
            frames = list(frames)
            spike = frames[np.argmax(log_softmax(logits)[frames, symbol])]
            runs.append((frames[0], frames[-1], spike))
    assert list(zip(alignment.first, alignment.last, alignment.spike, strict=True)) == runs
    again = align(log_softmax(logits), labels)
    assert again.log_probability == pytest.approx(score)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 1, 2], "need 4 frames.*Received: 3 frames"),
        ([1, 4], r"1 \.\. 3. Received: \[1, 4\]"),
        ([BLANK_INDEX], r"1 \.\. 3. Received: \[0\]"),
    ],
)
def test_align_rejects_impossible_labels(labels, message):
    with pytest.raises(ZooError, match=message):
        align(np.zeros((3, 4)), labels)
