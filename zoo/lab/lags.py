"""The longest lag that a recurrent cell learns within a fixed number of updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.progress import progress
from zoo.lab.cells import COLORS, ORTHOGONAL_RNN, RNN, recurrent_layer

if TYPE_CHECKING:
    import keras

BATCH, BLOCK, SEED = 32, 50, 0
# What serves each kind of cell best on both problems.
LEARNING_RATES = {RNN: 3e-3, ORTHOGONAL_RNN: 3e-3}
LEARNING_RATE = 1e-2


@dataclass(frozen=True)
class Problem:
    """A problem whose lag can be chosen.

    sequences: (random generator, how many, lag) -> x float32 [count, time, features] and y
        [count, outputs]. features: int.
    build_output: from a recurrent layer's outputs [batch, time, units] to what the loss takes.
    loss: str. One that Keras knows by that name; learnt when it is at most `target`.
    unit: str. What the loss is in. chance: float. The loss of who knows nothing of the sequence.
    units: int. Of the recurrent layer. lags: those to try, from the shortest.
    updates: int. Of BATCH sequences each, for every trial.
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
    """One training.

    cell: str. lag: int. losses: list of float. The loss over each BLOCK updates, of sequences that
        were new. learnt_after: int. Updates until the problem was learnt, or None.
    """

    cell: str
    lag: int
    losses: list[float]
    learnt_after: int | None


def try_cells(problem: Problem, cells: Sequence[str] = tuple(COLORS)) -> list[Trial]:
    """Try each cell on longer and longer lags, up to the first one it does not learn."""
    trials = []
    for cell in cells:
        train = build_training(problem, cell)
        for lag in progress(problem.lags, cell, len(problem.lags), "lag"):
            trials.append(train(lag))
            if trials[-1].learnt_after is None:
                break
    return trials


def build_training(problem: Problem, cell: str) -> Callable[[int], Trial]:
    """Return a function from a lag to its `Trial`, each from the same start of the cell.

    A trial ends when the problem is learnt, or the updates are used up. Every sequence is new, so a
    loss measured before each update is one of unseen sequences.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    x = keras.Input((None, problem.features))
    layer = recurrent_layer(cell, problem.units, SEED, return_sequences=True)
    model = keras.Model(x, problem.build_output(layer(x)))
    optimizer = keras.optimizers.Adam(LEARNING_RATES.get(cell, LEARNING_RATE), global_clipnorm=1.0)
    # The zoo's layers compile their loops themselves, for all lengths at once.
    model.compile(optimizer, problem.loss, jit_compile=False, steps_per_execution=BLOCK)
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    start = [variable.numpy() for variable in variables]

    def block(random: np.random.Generator, lag: int) -> tf.data.Dataset:
        x, y = problem.sequences(random, BATCH * BLOCK, lag)

        def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            return zip(np.split(x, BLOCK), np.split(y, BLOCK), strict=True)

        # With its length left free, all lags are trained by the one graph.
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
    """Return the longest lag that each cell learnt; 0 where it learnt none."""
    lags = {trial.cell: 0 for trial in trials}
    for trial in trials:
        if trial.learnt_after is not None:
            lags[trial.cell] = max(lags[trial.cell], trial.lag)
    return lags


def numbers(problem: Problem, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the trials as JSON-ready numbers."""
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
    """Return the longest lags for a person to read."""
    lines = [f"longest lag learnt within {problem.updates} updates of {BATCH} sequences"]
    for cell, lag in longest_lags(trials).items():
        more = " or more" if lag == problem.lags[-1] else ""
        lines.append(f"  {cell:16}{lag or 'none'}{more}")
    return "\n".join(lines)
