"""Signatures of generators: each row of a request has options of its own, and is answered by itself.

TensorFlow Serving puts the rows of several clients into one batch. What one of them asks for changes
nothing for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.common.core.states import StateSpec
from zoo.common.core.task import checked_batch


@dataclass(frozen=True)
class RowOption:
    """A number that each row of a request gives.

    name: str. dtype: str. at_least, at_most: float. None for any number of its type.
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
        """Return a check of the values of a batch, an operation of a TensorFlow graph."""
        import tensorflow as tf

        if self.at_least is None:
            return tf.no_op()
        words = f"{self.name} must be at least {self.at_least:g} and at most {self.at_most:g}. Received:"
        inside = (values >= self.at_least) & (values <= self.at_most)
        return tf.debugging.Assert(tf.reduce_all(inside), [words, values])


def by_rows(
    answer: Callable[..., Any], options: Sequence[RowOption], output: Any
) -> Callable[..., Any]:
    """Return a function of a batch, made of one of a row.

    An empty batch, tensors of different numbers of rows, and an option beyond its range are errors of
    the graph.

    Args:
        answer: of what a row has of each tensor, the options last, to a tensor.
        options: what each row gives beside its inputs.
        output: what `answer` returns, as a `tf.TensorSpec` or `tf.RaggedTensorSpec`.
    """
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert  # loops are those of keras.ops already
    def function(*columns):
        columns = checked_batch(columns)
        given = columns[len(columns) - len(options) :]
        checks = [option.check(of_all) for option, of_all in zip(options, given, strict=True)]
        with tf.control_dependencies(checks):
            columns = tuple(tf.identity(column) for column in columns)
        return tf.map_fn(lambda row: answer(*row), columns, fn_output_signature=output)

    return function


def initial_states_in_graph(specs: Sequence[StateSpec], rows: Any) -> dict[str, Any]:
    """Return the states of so many sequences that begin, by name, as tensors.

    Args:
        rows: int32 [].
    """
    import tensorflow as tf

    return {
        spec.name: tf.fill((rows, *spec.shape), tf.constant(spec.initial, spec.dtype))
        for spec in specs
    }
