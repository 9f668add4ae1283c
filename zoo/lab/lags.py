"""The longest lag that a recurrent cell learns within a fixed number of updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.progress import progress
from zoo.lab.cells import COLORS, ORTHOGONAL_RNN, RNN, recurrent_layer

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS, BATCH, BLOCK, SEED = 64, 32, 50, 0
# What serves each kind of cell best on both problems.
LEARNING_RATES = {RNN: 3e-3, ORTHOGONAL_RNN: 3e-3}
LEARNING_RATE = 1e-2


@dataclass(frozen=True)
class Problem:
    """A problem whose lag can be chosen.

    sequences: (random generator, how many, lag) -> x float32 [count, time, features] and y.
    features: int. build_output: from a recurrent layer's outputs [batch, time, units] to what the
        loss takes. loss: of Keras. error: its name in a history; learnt: when it is at most this.
    lags: the lags to try, from the shortest. updates: of BATCH sequences each, for every trial.
    """

    sequences: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
    features: int
    build_output: Callable[[keras.KerasTensor], keras.KerasTensor]
    loss: Callable[[], Any]
    learnt: float
    lags: Sequence[int]
    updates: int


@dataclass(frozen=True)
class Trial:
    """One training.

    cell: str. lag: int. errors: list of float. The loss over each BLOCK updates, on sequences that
        were new. learnt_after: int. Updates until the problem was learnt, or None.
    """

    cell: str
    lag: int
    errors: list[float]
    learnt_after: int | None


def longest_lags(problem: Problem, cells: Sequence[str] = tuple(COLORS)) -> list[Trial]:
    """Try each cell on longer and longer lags, up to the first one it does not learn."""
    trials = []
    for cell in cells:
        for lag in progress(problem.lags, cell, len(problem.lags), "lag"):
            trials.append(try_lag(problem, cell, lag))
            if trials[-1].learnt_after is None:
                break
    return trials


def try_lag(problem: Problem, cell: str, lag: int) -> Trial:
    """Train a cell from its start, until it has learnt or the updates are used up.

    Every sequence is new, so a loss measured before each update is one of unseen sequences.
    """
    import keras

    keras.utils.set_random_seed(SEED)
    x = keras.Input((None, problem.features))
    layer = recurrent_layer(cell, UNITS, SEED, return_sequences=True)
    model = keras.Model(x, problem.build_output(layer(x)))
    model.compile(
        keras.optimizers.Adam(LEARNING_RATES.get(cell, LEARNING_RATE), global_clipnorm=1.0),
        problem.loss(),
        jit_compile=False,  # the zoo's layers compile their loops themselves, for all lengths at once
        steps_per_execution=BLOCK,
    )
    random, errors = np.random.default_rng(SEED), []
    for done in range(BLOCK, problem.updates + 1, BLOCK):
        x, y = problem.sequences(random, BATCH * BLOCK, lag)
        history = model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history
        errors.append(float(history["loss"][0]))
        if errors[-1] <= problem.learnt:
            return Trial(cell, lag, errors, done)
    return Trial(cell, lag, errors, None)


def longest(trials: Sequence[Trial]) -> dict[str, int]:
    """Return the longest lag that each cell learnt; 0 where it learnt none."""
    lags = {trial.cell: 0 for trial in trials}
    for trial in trials:
        if trial.learnt_after is not None:
            lags[trial.cell] = max(lags[trial.cell], trial.lag)
    return lags
