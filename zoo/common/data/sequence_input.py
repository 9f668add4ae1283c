"""SavedModel inputs for sequences with explicit, validated lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.common.core.capabilities import RawInput

Prepare = Callable[[Any, Any], dict[str, Any]]


def sequence_input(
    name: str,
    shape: tuple[int, ...],
    unit: str,
    at_least: int = 1,
    prepare: Prepare | None = None,
) -> RawInput:
    """Return the raw input for sequences float32 [batch, time, *shape] with `lengths` int32 [batch].

    A length below `at_least` or above the number of time steps is an error of the graph.

    Args:
        name: name of the sequences.
        shape: shape of a time step.
        unit: unit of the lengths, such as "frames", for error messages.
        at_least: smallest valid length.
        prepare: maps sequences and lengths to the model inputs; None if they are the model inputs.
    """
    import tensorflow as tf

    spec = [
        tf.TensorSpec((None, None, *shape), tf.float32, name),
        tf.TensorSpec((None,), tf.int32, "lengths"),
    ]

    def to_inputs(values, lengths):
        lengths = checked_lengths(lengths, tf.shape(values)[1], unit, at_least)
        return prepare(values, lengths) if prepare else {name: values, "lengths": lengths}

    return RawInput(spec, to_inputs)


def checked_lengths(lengths: Any, longest: Any, unit: str, at_least: int = 1) -> Any:
    """Return lengths int32 [batch] after a check inside a graph.

    Args:
        lengths: the lengths.
        longest: int32 [], the number of time steps in each row.
        unit: as in `sequence_input`.
        at_least: as in `sequence_input`.
    """
    import tensorflow as tf

    inside = tf.reduce_all((lengths >= at_least) & (lengths <= longest))
    words = f"lengths must be at least {at_least} and at most the number of {unit},"
    check = tf.debugging.Assert(inside, [words, longest, "Received:", lengths])
    with tf.control_dependencies([check]):
        return tf.identity(lengths)
