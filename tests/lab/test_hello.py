"""Test the experiment with the four-letter network."""

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab.experiments.hello import Weights, build_model, read, write


def test_read_computes_the_equations():
    """A network without recurrence returns the letter that it reads."""
    look = np.array([[5.0, 0, 0, 0], [0, 5.0, 0, 0], [0, 0, 5.0, 0]])
    weights = Weights(look, np.zeros((3, 3)), look.T)
    found = read(weights, "hel")
    np.testing.assert_allclose(found.h, np.tanh(5.0) * np.eye(3), atol=1e-12)
    assert found.y.argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    assert write(weights, "e", 3) == "eeee"


def test_model_has_no_biases():
    model = build_model()
    assert [tuple(weight.shape) for weight in model.weights] == [(4, 3), (3, 3), (3, 4)]


def test_hello_experiment():
    numbers = lab("hello").numbers
    assert numbers["difference_between_equations_and_keras"] < 1e-5
    assert numbers["after"]["written"] == "hello"
    assert numbers["before"]["written"] != "hello"
    assert numbers["after"]["probability_of_word"] > 0.95
    assert numbers["losses"][-1] == pytest.approx(
        -np.log(numbers["after"]["probability_of_word"]) / 4, rel=0.1
    )
    assert len(numbers["losses"]) == 200
    assert numbers["losses"][0] > 1
    # "o" is never an input: its column does not change.
    for row, before in zip(
        numbers["weights"]["W_xh"], numbers["weights_before"]["W_xh"], strict=True
    ):
        assert row[3] == before[3]
        assert row[0] != before[0]
