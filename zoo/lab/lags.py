"""Find the longest lag that a recurrent cell learns within a fixed number of updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.progress import progress
from zoo.lab.cells import BLOCKS, COLORS, ORTHOGONAL_RNN, RNN, recurrent_layer, residual_block

if TYPE_CHECKING:
    import keras

BATCH, BLOCK, SEED = 32, 50, 0
# The best learning rate of each kind of cell on both problems.
LEARNING_RATES = {RNN: 3e-3, ORTHOGONAL_RNN: 3e-3}
LEARNING_RATE = 1e-2
LEARNING_RATES |= dict.fromkeys(BLOCKS, 4e-3)


@dataclass(frozen=True)
class Problem:
    """A problem with an adjustable lag.

    Args:
        sequences: maps a random generator, a count and a lag to x float32 [count, time, features] and
            y [count, outputs].
        features: number of features.
        build_output: maps the outputs [batch, time, units] of a recurrent layer to the input of the
            loss.
        loss: name of a Keras loss.
        unit: unit of the loss.
        target: the problem is learnt if the loss is at most this value.
        chance: loss of an answer that does not depend on the sequence.
        units: number of units of the recurrent layer.
        lags: lags to try, in increasing order.
        updates: maximum number of updates of a trial, of BATCH sequences each.
    """

    sequences: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
    features: int
    build_output: Callable[[keras.KerasTensor], keras.KerasTensor]
    loss: str
    unit: str
    target: float
    chance: float
    units: int
    lags: Sequence[int]
    updates: int


@dataclass(frozen=True)
class Trial:
    """The result of one training.

    Args:
        cell: name of the cell.
        lag: the lag.
        losses: mean loss of each BLOCK updates, on sequences that were not trained on before.
        learnt_after: number of updates until the problem was learnt; None if it was not learnt.
    """

    cell: str
    lag: int
    losses: list[float]
    learnt_after: int | None


def try_cells(problem: Problem, cells: Sequence[str] = tuple(COLORS)) -> list[Trial]:
    """Try each cell on increasing lags, up to the first lag that it does not learn."""
    trials = []
    for cell in cells:
        train = build_training(problem, cell)
        for lag in progress(problem.lags, cell, len(problem.lags), "lag"):
            trials.append(train(lag))
            if trials[-1].learnt_after is None:
                break
    return trials


def build_training(problem: Problem, cell: str) -> Callable[[int], Trial]:
    """Return a function from a lag to its `Trial`. All trials have the same initial weights.

    A trial ends when the problem is learnt or after the maximum number of updates. Each sequence is
    used once, so the loss before an update is a loss on unseen sequences.

    Args:
        problem: the problem.
        cell: a key of `COLORS` or `BLOCKS`.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    x = keras.Input((None, problem.features))
    if cell in BLOCKS:
        layer = residual_block(cell, problem.units)
    else:
        layer = recurrent_layer(cell, problem.units, SEED, return_sequences=True)
    model = keras.Model(x, problem.build_output(layer(x)))
    optimizer = keras.optimizers.Adam(LEARNING_RATES.get(cell, LEARNING_RATE), global_clipnorm=1.0)
    # The zoo's layers compile their own loops, for all lengths at once.
    model.compile(optimizer, problem.loss, jit_compile=False, steps_per_execution=BLOCK)
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    start = [variable.numpy() for variable in variables]

    def block(random: np.random.Generator, lag: int) -> tf.data.Dataset:
        x, y = problem.sequences(random, BATCH * BLOCK, lag)

        def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            return zip(np.split(x, BLOCK), np.split(y, BLOCK), strict=True)

        # The time axis is free, so that one graph serves all lags.
        spec = (
            tf.TensorSpec((BATCH, None, problem.features), x.dtype),
            tf.TensorSpec((BATCH, y.shape[1]), y.dtype),
        )
        return tf.data.Dataset.from_generator(batches, output_signature=spec)

    def train(lag: int) -> Trial:
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        random, losses = np.random.default_rng(SEED), []
        for done in range(BLOCK, problem.updates + 1, BLOCK):
            history = model.fit(
                block(random, lag), steps_per_epoch=BLOCK, shuffle=False, verbose=0
            ).history
            losses.append(float(history["loss"][0]))
            if losses[-1] <= problem.target:
                return Trial(cell, lag, losses, done)
        return Trial(cell, lag, losses, None)

    return train


def longest_lags(trials: Sequence[Trial]) -> dict[str, int]:
    """Return the longest lag that each cell learnt; 0 if it learnt none."""
    lags = {trial.cell: 0 for trial in trials}
    for trial in trials:
        if trial.learnt_after is not None:
            lags[trial.cell] = max(lags[trial.cell], trial.lag)
    return lags


def numbers(problem: Problem, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the trials as JSON-ready values."""
    return {
        "longest_lag": longest_lags(trials),
        "lags": list(problem.lags),
        "updates": problem.updates,
        "sequences_per_update": BATCH,
        "units": problem.units,
        "target_loss": problem.target,
        "chance_loss": problem.chance,
        "trials": [
            {
                "cell": trial.cell,
                "lag": trial.lag,
                "learnt_after": trial.learnt_after,
                "losses": trial.losses,
            }
            for trial in trials
        ],
    }


def text(problem: Problem, trials: Sequence[Trial]) -> str:
    """Return the longest lags as text."""
    lines = [f"longest lag learnt within {problem.updates} updates of {BATCH} sequences"]
    for cell, lag in longest_lags(trials).items():
        more = " or more" if lag == problem.lags[-1] else ""
        lines.append(f"  {cell:16}{lag or 'none'}{more}")
    return "\n".join(lines)
