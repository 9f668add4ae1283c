"""Successors of the LSTM, each in the same residual block, on problems with an adjustable lag."""

from __future__ import annotations

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab import lags
from zoo.lab.cells import BLOCKS
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.experiments import adding, copy
from zoo.lab.lag_figures import draw_grid, draw_losses


def selective_sequences(
    random: np.random.Generator, count: int, lag: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of the selective copy problem (Gu & Dao 2023, section 3.1).

    The symbols are at random steps, so that a layer must select them by their content. In the copy
    problem, they are always at the first steps.

    Args:
        random: the random generator.
        count: number of sequences.
        lag: number of pauses around the symbols.

    Returns:
        As `zoo.lab.experiments.copy.sequences`.
    """
    steps = copy.LENGTH + lag
    symbols = random.integers(0, copy.SYMBOLS, (count, copy.LENGTH))
    inputs = np.full((count, steps + copy.LENGTH), copy.PAUSE)
    places = np.sort(
        random.permuted(np.tile(np.arange(steps), (count, 1)), axis=1)[:, : copy.LENGTH]
    )
    np.put_along_axis(inputs, places, symbols, axis=1)
    inputs[:, steps] = copy.GO
    return np.eye(copy.SYMBOLS + 2, dtype=np.float32)[inputs], symbols.astype(np.int32)


PROBLEMS = {
    "adding": adding.PROBLEM,
    "copy": copy.PROBLEM,
    "selective copy": lags.Problem(
        **{**vars(copy.PROBLEM), "sequences": selective_sequences, "lags": (5, 10, 20, 40)}
    ),
}


@register_experiment("successors", seconds=600)
def successors() -> Outcome:
    """Find the longest lag that each successor of the LSTM learns in three problems."""
    numbers, figures, texts = {}, {}, []
    picture = figure(figsize=(9.5, 3.6 * len(PROBLEMS)))
    for axes, (name, problem) in zip(
        picture.subplots(len(PROBLEMS)), PROBLEMS.items(), strict=True
    ):
        trials = lags.try_cells(problem, tuple(BLOCKS))
        draw_grid(axes, problem, trials)
        axes.set_title(f"{name}: {axes.get_title()}", fontsize=10)
        numbers[name] = lags.numbers(problem, trials)
        figures[f"losses-{name.replace(' ', '-')}"] = draw_losses(problem, trials)
        texts.append(f"{name}: {lags.text(problem, trials)}")
    return Outcome(numbers, {"successors": picture, **figures}, "\n".join(texts))
