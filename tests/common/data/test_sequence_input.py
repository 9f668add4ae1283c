"""Test that lengths of sequences are checked in the graph."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.data.sequence_input import sequence_input

VALUES = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


def graph(**options):
    """Return the graph of sequences of 3 numbers per time step, and their names and shapes."""
    entry = sequence_input("series", (3,), "times", **options)
    return tf.function(entry.to_inputs, input_signature=entry.spec), entry.spec


def test_sequences_are_the_inputs_of_the_model():
    call, signature = graph()
    assert [(spec.name, spec.shape.as_list(), spec.dtype) for spec in signature] == [
        ("series", [None, None, 3], tf.float32),
        ("lengths", [None], tf.int32),
    ]
    inputs = call(VALUES, np.int32([1, 4]))
    assert inputs.keys() == {"series", "lengths"}
    np.testing.assert_array_equal(inputs["series"], VALUES)
    assert inputs["lengths"].numpy().tolist() == [1, 4]


def test_sequences_are_prepared():
    call, _ = graph(prepare=lambda values, lengths: {"x": 2 * values, "n": lengths - 1})
    inputs = call(VALUES, np.int32([1, 4]))
    np.testing.assert_array_equal(inputs["x"], 2 * VALUES)
    assert inputs["n"].numpy().tolist() == [0, 3]


@pytest.mark.parametrize(
    ("at_least", "lengths", "valid"),
    [
        (1, [1, 4], True),
        (1, [0, 4], False),
        (1, [1, 5], False),
        (3, [3, 3], True),
        (3, [2, 4], False),
    ],
)
def test_lengths_are_checked(at_least, lengths, valid):
    call, _ = graph(at_least=at_least)
    if valid:
        assert call(VALUES, np.int32(lengths))["lengths"].numpy().tolist() == lengths
        return
    message = f"lengths must be at least {at_least} and at most the number of times,"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(VALUES, np.int32(lengths))
