"""The logits of a recording do not depend on the other recordings of its batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from tests.invariance.recordings import RATE, RECOGNIZER, STREAMING, clips, few


@pytest.fixture(scope="module", params=(RECOGNIZER, STREAMING))
def preset(request):
    return zoo.load(request.param)


@few
@given(order=st.permutations(range(4)), seconds=st.floats(0, 2))
def test_batch(preset, order, seconds):
    data, model = preset.recipe.data, preset.recipe.model
    items = [data.item(clips()[i], model) for i in order]
    batch = data.collate(items)
    extra = ((0, 0), (0, int(seconds * RATE)))  # more padding, with anything in it
    batch["waveform"] = np.pad(batch["waveform"], extra, constant_values=0.5)
    together = preset.graphs["model"](**batch)
    first = preset.graphs["model"](**data.collate(items[:1]))
    count = int(first["logit_lengths"][0])
    assert count == int(together["logit_lengths"][0])
    np.testing.assert_allclose(together["logits"][0, :count], first["logits"][0, :count], atol=2e-3)
