"""Test the gates experiment: the LSTM in NumPy, the features of a text, the choice of units."""

import keras
import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab.gate_units import FEATURES, Activity, choose_units, run_lstm


def test_numpy_lstm_equals_keras_layer():
    layer = keras.layers.LSTM(5, return_sequences=True, return_state=True)
    x = np.random.default_rng(0).normal(size=(1, 7, 3)).astype(np.float32)
    layer.build(x.shape)
    layer.cell.bias.assign(np.linspace(-1, 1, 20))
    sequence, h, c = (np.asarray(part)[0] for part in layer(x))
    activity = run_lstm(*layer.get_weights(), x[0])
    np.testing.assert_allclose(activity.h, sequence, atol=1e-6)
    np.testing.assert_allclose(activity.h[-1], h, atol=1e-6)
    np.testing.assert_allclose(activity.c[-1], c, atol=1e-6)
    np.testing.assert_allclose(activity.h, activity.o * np.tanh(activity.c), atol=1e-6)
    for gate in (activity.i, activity.f, activity.o):
        assert gate.min() > 0
        assert gate.max() < 1


def test_features():
    text = "ROMEO:\nAy me. O!\n"
    found = {name: feature(text).tolist() for name, feature in FEATURES.items()}
    assert found["place in the line"][:9] == [1, 2, 3, 4, 5, 6, 0, 1, 2]
    assert found["place in the word"][6:12] == [0, 1, 2, 0, 1, 2]
    assert found["inside a speaker's name"] == [1] * 6 + [0] * 11
    assert found["a space was read"] == [float(c in " \n") for c in text]
    assert found["place in the sentence"][12:] == [0, 1, 2, 0, 1]


def test_units_are_chosen_by_correlation_with_a_feature():
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ab \n"), 600))
    cells = random.normal(size=(600, 4)).astype(np.float32)
    cells[:, 2] = -0.05 * FEATURES["place in the line"](text)
    still = np.zeros((600, 4), np.float32)
    layers = [Activity(*[still] * 5), Activity(still, still, still, cells, still)]
    unit = choose_units(text, layers)["place in the line"]
    assert (unit.layer, unit.unit) == (1, 2)
    assert unit.correlation < -0.95


@pytest.mark.slow
def test_gates_experiment():
    text = "O Romeo, Romeo! wherefore art thou Romeo?"
    numbers = lab("gates", "--text", text).numbers
    assert numbers["difference_from_preset"] < 1e-4
    assert set(numbers["units"]) == set(numbers["cells"]) == set(FEATURES)
    assert all(len(cells) == len(text) for cells in numbers["cells"].values())
    assert all(abs(cell) <= 1 for cells in numbers["cells"].values() for cell in cells)
    # Measured on text that was not used for the choice.
    assert abs(numbers["units"]["inside a speaker's name"]["correlation"]) > 0.95
    assert abs(numbers["units"]["place in the line"]["correlation"]) > 0.5
    for layer in numbers["saturation"]:
        for shares in layer.values():
            assert 0 < shares["left"] + shares["right"] <= 1
        assert layer["f"]["right"] == pytest.approx(0.85, abs=0.1)
