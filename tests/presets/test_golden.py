"""Golden outputs of every shipped preset: no change of code may change its numbers."""

import json

import numpy as np
import pytest

from tests.presets.golden import PATH, golden_outputs
from zoo.common.presets import store

GOLDEN = json.loads(PATH.read_text())
# Presets above this size are tested in the slow suite.
LARGE = 3e6


def size(name: str) -> int:
    return sum(path.stat().st_size for path in store.find(name).glob("model.*"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if size(name) > LARGE else [])
        for name in store.names()
    ],
)
def test_golden_outputs(name):
    assert name in GOLDEN, f"python -m tests.presets.golden {name}"
    found = golden_outputs(name)
    assert set(found) == set(GOLDEN[name])
    for graph, outputs in GOLDEN[name].items():
        assert set(found[graph]) == set(outputs)
        for output, expected in outputs.items():
            assert found[graph][output]["shape"] == expected["shape"]
            for key in ("mean", "std", "first"):
                np.testing.assert_allclose(
                    found[graph][output][key], expected[key], rtol=1e-3, atol=1e-4, err_msg=output
                )
