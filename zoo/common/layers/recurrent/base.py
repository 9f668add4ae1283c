"""Base classes of the recurrent layers that Keras does not have.

A layer is a `keras.layers.RNN` around a cell. A cell separates the part of a step that needs only the
input, which is one matrix product for all steps, from the part that needs the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from zoo.common.core.errors import ZooError, check_range
from zoo.common.layers.cell_states import cell_states
from zoo.common.utils.private import rnn

if keras.config.backend() == "tensorflow":
    from zoo.common.layers.recurrent.rows import run_rows
else:
    run_rows = None  # type: ignore[assignment]

register = keras.saving.register_keras_serializable("zoo")


class Cell(keras.layers.Layer):
    """One step of a recurrence.

    A subclass implements `build` and `step`. All states are vectors, whose sizes are in
    `zoo.common.layers.cell_states`. Gates and states are computed in float32, or in float64 if that is
    the dtype of the cell, and products in the compute dtype of the cell.

    Args:
        units: number of outputs.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("units", units, at_least=1)
        self.units = units
        self.state_size = self.state_sizes()
        self.output_size = units

    def state_sizes(self) -> list[int]:
        """Return the size of each state."""
        return list(cell_states(type(self).__name__.removesuffix("Cell"), self.units).values())

    @property
    def state_dtype(self) -> str:
        """The dtype of gates and states inside the loop."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def project(self, x: Any) -> Any:
        """Return the part of a step that needs only the input.

        Args:
            x: inputs, float [..., features].

        Returns:
            `state_dtype` [..., width].
        """
        return self.product(x, self.kernel, self.bias)

    def product(self, x: Any, kernel: Any, bias: Any = None) -> Any:
        """Return x kernel + bias, with the product in the compute dtype and the sum in `state_dtype`."""
        x, kernel = ops.cast(x, self.compute_dtype), ops.cast(kernel, self.compute_dtype)
        z = ops.cast(ops.matmul(x, kernel), self.state_dtype)
        return z if bias is None else z + ops.cast(bias, self.state_dtype)

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Return the output and the next states of one step.

        Args:
            z: a step of the result of `project`, [batch, width].
            states: `state_dtype` [batch, size] each.
        """
        raise NotImplementedError

    def run(self, x: Any, states: Sequence[Any], mask: Any, reverse: bool) -> tuple[Any, list[Any]]:
        """Run all steps, and return the outputs [time, batch, units] and the last states.

        At a step where the mask is False, the states do not change and the output is arbitrary.

        Args:
            x: inputs, float [time, batch, features].
            states: the initial states.
            mask: bool [time, batch, 1], or None.
            reverse: whether to run from the last step to the first. The outputs have the order of `x`.
        """
        return self.run_by_steps(x, states, mask, reverse)

    def run_by_steps(
        self, x: Any, states: Sequence[Any], mask: Any, reverse: bool
    ) -> tuple[Any, list[Any]]:
        """Do the same as `run`, by a loop over `step`."""
        _, outputs, last = rnn(self.step, self.project(x), list(states), mask, reverse)
        return (ops.flip(outputs, axis=0) if reverse else outputs), list(last)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Return the output and the next states for the inputs of one step, [batch, features]."""
        given = [ops.cast(state, self.state_dtype) for state in keras.tree.flatten(states)]
        output, following = self.step(self.project(inputs), given)
        following = [ops.cast(state, self.compute_dtype) for state in following]
        return ops.cast(output, self.compute_dtype), following

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return zeros for each state."""
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in self.state_size]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}

    def add_kernel(self, name: str, shape: Sequence[int | None]) -> Any:
        """Return a new weight with Glorot's uniform initial values."""
        return self.add_weight(shape=tuple(shape), initializer="glorot_uniform", name=name)

    def add_bias(self, size: int, initializer: Any = "zeros") -> Any:
        """Return a new weight [size]."""
        return self.add_weight(shape=(size,), initializer=initializer, name="bias")


class RecurrentLayer(keras.layers.RNN):
    """A layer that runs a `Cell` over a sequence, with the interface of `keras.layers.LSTM`.

    Inputs are float [batch, time, features]; the mask, if any, is bool [batch, time]. A masked step
    keeps the states, and its output is the previous output, or zero with `zero_output_for_mask`.

    Args:
        units: number of outputs.
        cell: further arguments of the cell.
        **kwargs: arguments of `keras.layers.RNN`: `return_sequences`, `return_state`, `go_backwards`,
            `stateful`, `unroll`, `zero_output_for_mask`, and those of `keras.layers.Layer`.
    """

    cell_class: ClassVar[type[Cell]]

    # Whether to run step by step in operations that any runtime has. Exports set it.
    by_steps = False

    def __init__(self, units: int, *, cell: dict[str, Any] | None = None, **kwargs: Any):
        shared = {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}
        super().__init__(self.cell_class(units, **(cell or {}), **shared, name="cell"), **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    @property
    def units(self) -> int:
        """Number of outputs."""
        return self.cell.units

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        if initial_state is not None:
            self._check_states(keras.tree.flatten(initial_state))
        return super().call(sequences, initial_state, mask, training)

    def _check_states(self, states: Sequence[Any]) -> None:
        sizes = self.cell.state_size
        shapes = [tuple(state.shape) for state in states]
        if [shape[1:] for shape in shapes] != [(size,) for size in sizes]:
            raise ZooError(
                f"initial_state of {type(self).__name__} must have the shapes "
                f"{', '.join(f'[batch, {size}]' for size in sizes)}. Received: "
                f"{', '.join(map(str, shapes))}."
            )

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        """Run the recurrence, and return the last output, the outputs and the states, as in Keras."""
        dtype = self.cell.state_dtype
        rows = {
            "x": sequences,
            "states": [ops.cast(state, dtype) for state in keras.tree.flatten(initial_state)],
            "mask": None if mask is None else ops.cast(keras.tree.flatten(mask)[0], "bool"),
        }
        if self.by_steps or self.unroll:
            outputs, last = self._run(self.cell.run_by_steps, **rows)
        elif run_rows is None:
            outputs, last = self._run(self.cell.run, **rows)
        else:
            outputs, last = run_rows(
                lambda **part: self._run(self.cell.run, **part),
                rows,
                paired=getattr(self, "paired", False),
                padded=not training,
            )
        last_output = outputs[:, 0 if self.go_backwards else -1]
        if not self.return_sequences:
            return last_output, last_output[:, None], last
        return last_output, ops.flip(outputs, axis=1) if self.go_backwards else outputs, last

    def _run(self, run: Any, x: Any, states: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        """Run rows of the batch, and return the outputs in the order of `x` and the last states."""
        reverse = self.go_backwards
        if mask is not None:
            mask = ops.expand_dims(ops.transpose(mask, (1, 0)), -1)
        outputs, last = run(ops.transpose(x, (1, 0, 2)), states, mask, reverse)
        if mask is not None:
            if self.zero_output_for_mask:
                outputs = ops.where(mask, outputs, ops.zeros_like(outputs))
            else:
                outputs = hold(outputs, mask, reverse)
        return ops.transpose(outputs, (1, 0, 2)), last

    def get_config(self) -> dict[str, Any]:
        base, cell = super().get_config(), self.cell.get_config()
        del base["cell"]
        for key in ("name", "trainable", "dtype"):
            del cell[key]
        return {**base, **cell}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RecurrentLayer:
        return cls(**config)


def hold(outputs: Any, mask: Any, reverse: bool) -> Any:
    """Replace the output of each masked step by the output of the step before it; zeros at the start.

    Args:
        outputs: float [time, batch, units].
        mask: bool [time, batch, 1].
        reverse: whether the recurrence runs from the last step to the first.
    """

    def step(output_and_mask: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        output, kept = output_and_mask[:, :-1], output_and_mask[:, -1:] > 0
        held = ops.where(kept, output, states[0])
        return held, [held]

    rows = ops.concatenate([outputs, ops.cast(mask, outputs.dtype)], axis=-1)
    _, held, _ = rnn(step, rows, [ops.zeros_like(outputs[0])], None, reverse)
    return ops.flip(held, axis=0) if reverse else held
