"""The way into a SavedModel for sequences: what most models take, with lengths that are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.common.core.data import RawInput

Prepare = Callable[[Any, Any], dict[str, Any]]


def sequence_input(
    name: str,
    shape: tuple[int, ...],
    unit: str,
    at_least: int = 1,
    prepare: Prepare | None = None,
) -> RawInput:
    """Return the way in for sequences float32 [batch, time, *shape] with `lengths` int32 [batch].

    A length below `at_least`, and one beyond what is there, are errors of the graph.

    Args:
        name: of the sequences. unit: what their lengths count, such as "frames".
        prepare: of sequences and lengths, to the model's inputs; None where they are these.
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
    """Return lengths int32 [batch] behind a check, inside a graph.

    Args:
        longest: int32 []. What there is of each row. unit, at_least: as of `sequence_input`.
    """
    import tensorflow as tf

    inside = tf.reduce_all((lengths >= at_least) & (lengths <= longest))
    words = f"lengths must be at least {at_least} and at most the {unit} that there are,"
    check = tf.debugging.Assert(inside, [words, longest, "Received:", lengths])
    with tf.control_dependencies([check]):
        return tf.identity(lengths)
