"""Signatures of generators: each row of a request has its own options and is answered separately.

TensorFlow Serving puts the rows of several clients into one batch. The options of one client must not
change the answers to others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.common.core.states import StateSpec
from zoo.common.core.task import checked_batch


@dataclass(frozen=True)
class RowOption:
    """A number that each row of a request has.

    Args:
        name: name of the option.
        dtype: dtype of the option.
        at_least: inclusive lower bound; None for no bounds.
        at_most: inclusive upper bound.
    """

    name: str
    dtype: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def spec(self) -> Any:
        """The `tf.TensorSpec` of the option, [batch]."""
        import tensorflow as tf

        return tf.TensorSpec([None], self.dtype, self.name)

    def check(self, values: Any) -> Any:
        """Return an operation of a TensorFlow graph that checks the values of a batch."""
        import tensorflow as tf

        if self.at_least is None:
            return tf.no_op()
        words = f"{self.name} must be at least {self.at_least:g} and at most {self.at_most:g}. Received:"
        inside = (values >= self.at_least) & (values <= self.at_most)
        return tf.debugging.Assert(tf.reduce_all(inside), [words, values])


def by_rows(
    answer: Callable[..., Any], options: Sequence[RowOption], output: Any
) -> Callable[..., Any]:
    """Return a function of a batch that applies a function to each row.

    An empty batch, tensors with different numbers of rows, and an option outside its range are errors
    of the graph.

    Args:
        answer: maps the row of each tensor, the options last, to a tensor.
        options: options that each row has in addition to its inputs.
        output: `tf.TensorSpec` or `tf.RaggedTensorSpec` of the result of `answer`.
    """
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert  # loops already use keras.ops
    def function(*columns):
        columns = checked_batch(columns)
        given = columns[len(columns) - len(options) :]
        checks = [option.check(of_all) for option, of_all in zip(options, given, strict=True)]
        with tf.control_dependencies(checks):
            columns = tuple(tf.identity(column) for column in columns)
        return tf.map_fn(lambda row: answer(*row), columns, fn_output_signature=output)

    return function


def initial_states_in_graph(specs: Sequence[StateSpec], rows: Any) -> dict[str, Any]:
    """Return the states at the start of sequences, by name, as tensors.

    Args:
        specs: the states.
        rows: int32 [], the number of sequences.
    """
    import tensorflow as tf

    return {
        spec.name: tf.fill((rows, *spec.shape), tf.constant(spec.initial, spec.dtype))
        for spec in specs
    }
