"""Logits that state a labelling."""

import numpy as np
import pytest

from zoo.common.ctc.one_hot import one_hot_outputs
from zoo.common.ctc.search import search

ROWS = [[1, 1, 2], [], [3]]


@pytest.mark.parametrize("beam_width", [1, 8])
def test_searches_find_the_labelling(beam_width):
    outputs = one_hot_outputs(ROWS, 4)
    for logits, length, labels in zip(*outputs.values(), ROWS, strict=True):
        found = search(logits[:length], beam_width)[0]
        assert found.labels == labels
        assert found.log_probability == pytest.approx(0, abs=1e-6)


def test_shapes():
    outputs = one_hot_outputs(ROWS, 4)
    assert outputs["logits"].shape == (3, 7, 4)
    np.testing.assert_array_equal(outputs["logit_lengths"], [7, 1, 3])
