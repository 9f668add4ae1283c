"""Series as data: windows of past values in, the value after each window as the target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import digest
from zoo.timeseries.corpora.segment import Segment, read_segments, read_values

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe
    from zoo.timeseries.forecaster import Forecaster

SAMPLE = Path(__file__).parent / "samples" / "laser.txt"


@dataclass(frozen=True)
class Series(Data):
    """One series of numbers, or several of one kind and one scale.

    An example is a `Segment`. Its windows are made of the model's `context`: each value that has that
    many before it is a target. Models take values as they are, and answer in the same units.
    """

    # Reading --------------------------------------------------------------------------------------

    def read_manifest(self, path: Path) -> list[Segment]:
        """See `Data.read_manifest`: one number a line, or a table with a column `value`, and perhaps
        a column `split`."""
        return read_segments(path)

    def split_dev(
        self, examples: list[Segment], fraction: float, seed: int
    ) -> tuple[list[Segment], list[Segment]]:
        """Split off the end of each series, whatever the seed: a forecast is of what comes later."""
        train, dev = [], []
        for example in examples:
            begin = len(example.values) - round(len(example.values) * fraction)
            head, tail = example.values[:begin], example.values[begin:]
            if not head or not tail:
                raise ZooError(
                    f"{example.id}: it must have more values to split off a dev part of {fraction}. "
                    f"Received: {len(example.values)}."
                )
            train.append(replace(example, values=head))
            history = (*example.history, *head)
            dev.append(Segment(f"{example.id}, last part", tail, history, "dev"))
        return train, dev

    def num_examples(self, examples: list[Segment]) -> int:
        """Values."""
        return sum(len(example.values) for example in examples)

    def checksum(self, examples: list[Segment]) -> str:
        """See `Data.checksum`."""
        return digest((example.id, *example.history, *example.values) for example in examples)

    def adapt(self, examples: list[Segment], model: Forecaster) -> tuple[Data, Forecaster]:
        """See `Data.adapt`: the scaling of a model that has none, from the values to learn from."""
        if model.deviation is not None or not examples:
            return self, model
        train = [example for example in examples if example.split in (None, "train")]
        values = [value for example in train for value in example.values]
        if len(set(values)) < 2:
            raise ZooError(
                f"The values to learn from must differ from each other. Received: {len(values)}, "
                f"all of them {values[0] if values else None}."
            )
        return self, replace(model, mean=float(np.mean(values)), deviation=float(np.std(values)))

    def filter_examples(
        self, examples: list[Segment], recipe: Recipe
    ) -> tuple[list[Segment], dict[str, int]]:
        """See `Data.filter_examples`: those with a value after a whole window."""
        context = recipe.model.context
        kept = [e for e in examples if len(e.history) + len(e.values) > context]
        if not kept:
            longest = max((len(e.history) + len(e.values) for e in examples), default=0)
            raise ZooError(
                f"A series must have more than {context} values, model.context. Received: {longest}."
            )
        left_out = len(examples) - len(kept)
        return kept, {f"with no more than {context} values": left_out} if left_out else {}

    # Learning -------------------------------------------------------------------------------------

    def windows(self, example: Segment, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
        """Return each target of an example with the values before it.

        Returns:
            (series, targets): float32 [targets, context] and float32 [targets, 1], in order of time.

        Raises:
            ZooError: there are none.
        """
        context = recipe.model.context
        values = np.array([*example.history[-context:], *example.values], np.float32)
        if len(values) <= context:
            raise ZooError(
                f"{example.id}: it must have more than {context} values. Received: {len(values)}."
            )
        rows = np.lib.stride_tricks.sliding_window_view(values, context + 1)
        return rows[:, :-1], rows[:, -1:]

    def batches(self, model: Any, recipe: Recipe, examples: list[Segment], epoch: int) -> Batches:
        """See `Data.batches`: shuffled windows.

        x has `series` float32 [batch, context]; y has `targets` float32 [batch, 1] and `scale` float32
        [batch, 1], the unit that an error is measured in.
        """
        context, batch_size = recipe.model.context, recipe.training.batch_size
        windows = [self.windows(example, recipe) for example in examples]
        series, targets = (np.concatenate(part) for part in zip(*windows, strict=True))
        ids = np.array(
            [
                f"{example.id}, value {len(example.values) - len(rows) + i + 1}"
                for example, (_, rows) in zip(examples, windows, strict=True)
                for i in range(len(rows))
            ]
        )
        order = np.random.default_rng((recipe.training.seed, epoch)).permutation(len(ids))

        def generate():
            for begin in range(0, len(order), batch_size):
                rows = order[begin : begin + batch_size]
                scale = np.full((len(rows), 1), recipe.model.deviation, np.float32)
                yield (
                    {"series": series[rows]},
                    {"targets": targets[rows], "scale": scale},
                    ids[rows],
                )

        column = ((None, 1), "float32")
        spec = {"series": ((None, context), "float32")}, {"targets": column, "scale": column}
        return Batches(generate, spec)

    def steps_per_epoch(self, recipe: Recipe, examples: list[Segment]) -> int:
        """See `Data.steps_per_epoch`."""
        context = recipe.model.context
        targets = sum(len(e.values) - max(0, context - len(e.history)) for e in examples)
        return -(-targets // recipe.training.batch_size)

    # Use ------------------------------------------------------------------------------------------

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """Return the last values of a file, `series` float32 [context]. Raises as `Data.read_input`."""
        values, context = read_values(Path(source)), recipe.model.context
        if len(values) < context:
            raise ZooError(
                f"{source}: it must have {context} values or more. Received: {len(values)}."
            )
        return {"series": np.array(values[-context:], np.float32)}

    # Delivery -------------------------------------------------------------------------------------

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: `series` float32 [batch, context]."""
        import tensorflow as tf

        spec = [tf.TensorSpec((None, recipe.model.context), tf.float32, "series")]
        return {"serving_default": RawInput(spec, lambda series: {"series": series})}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: windows of the laser, repeated where the context is longer."""
        sizes, context = (1, 3, 16), recipe.model.context
        values = np.resize(np.array(read_values(SAMPLE), np.float32), context + sum(sizes))
        rows = np.lib.stride_tricks.sliding_window_view(values, context)
        batches = [{"series": rows[size : 2 * size].copy()} for size in sizes]
        return {"model": batches, "serving_default": batches}
