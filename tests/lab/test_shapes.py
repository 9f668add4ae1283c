"""Test the five shapes: the dependence of outputs on inputs, and the presets."""

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.common.presets import store
from zoo.lab.experiments.shapes import dependence
from zoo.lab.shape_models import SHAPES

YES = [True, True, True]
DEPENDENCE = {
    "one_to_one": [[True]],
    "one_to_many": [[True]] * 3,
    "many_to_one": [YES],
    "many_to_many": [YES] * 3,
    "many_to_many_in_step": np.tri(3, dtype=bool).tolist(),
}


@pytest.mark.parametrize("name", DEPENDENCE)
def test_dependence_of_outputs_on_inputs(name):
    model = SHAPES[name].build()
    assert dependence(model) == DEPENDENCE[name]
    x = np.zeros((5, *([7] if len(model.input.shape) == 3 else []), 4), np.float32)
    steps = {"one_to_many": [3], "many_to_many": [3], "many_to_many_in_step": [7]}.get(name, [])
    assert list(model(x).shape) == [5, *steps, 2]


@pytest.mark.slow
def test_shapes_experiment():
    numbers = lab("shapes").numbers
    assert list(numbers) == list(SHAPES)
    for name, about in numbers.items():
        assert about["output_depends_on_input"] == DEPENDENCE[name]
        assert about["layers"][0]["type"] == "InputLayer"
        preset = about["preset"]
        assert preset is None or preset["name"] in store.names()
    step = numbers["many_to_many_in_step"]
    assert step["parameters"] == 3 * 4 + 3 * 3 + 3 + 3 * 2 + 2
    assert step["preset"]["name"] == "language/charlstm-shakespeare"
    assert step["preset"]["inputs"]["tokens"] == [None, None]
    assert step["preset"]["outputs"]["logits"] == [None, None, 65]
    assert numbers["one_to_many"]["preset"]["name"] == "vision_language/show-and-tell-rsicd"
