"""Train a recipe with several seeds, and summarize the best metric of each run."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api.results import Result, TrainResult
from zoo.api.train import default_folder, train_recipe
from zoo.common.core import registry
from zoo.common.core.errors import ZooError, check_range
from zoo.common.presets.runs import RUN_FILE
from zoo.common.utils.progress import say

SEED = "training.seed"


@dataclass(frozen=True, repr=False)
class SeedsResult(Result):
    """Result of `zoo.train_seeds`.

    Args:
        recipe: name of the recipe.
        metric: name of the metric on dev that chooses the best epoch.
        runs: the result of each run, by its seed.
    """

    recipe: str
    metric: str
    runs: dict[int, TrainResult]

    @property
    def values(self) -> list[float]:
        """The best value of the metric in each run."""
        return [run.best[self.metric] for run in self.runs.values()]

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation of the values, of a sample; 0 for one run."""
        return statistics.stdev(self.values) if len(self.runs) > 1 else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "metric": self.metric,
            "mean": self.mean,
            "spread": self.spread,
            "runs": self.table(),
        }

    def lines(self) -> list[str]:
        mean = f"dev {self.metric}: mean {self.mean:.4g}, standard deviation {self.spread:.2g}"
        return [f"{self.recipe}, {len(self.runs)} seeds", mean]

    def table(self) -> list[dict[str, Any]]:
        return [
            {"seed": seed, "run": str(run.run), "epochs": len(run.history), self.metric: value}
            for (seed, run), value in zip(self.runs.items(), self.values, strict=True)
        ]


def train_seeds(
    recipe: str,
    seeds: int = 3,
    *,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    **arguments: Any,
) -> SeedsResult:
    """Train a recipe with several seeds, and return the mean and the spread of its metric on dev.

    Args:
        recipe: a registered recipe.
        seeds: number of trainings. The first one has the seed `training.seed`.
        out: the folder that will hold the run folder of each seed; None for a folder in `runs`.
        overrides: as in `train`.
        resume: whether to continue interrupted runs in `out`.
        on_epoch: a function that receives the seed and the metrics of each epoch.
        arguments: other arguments of `train`.

    Raises:
        ZooError: as `train`.

    Examples:
        >>> import pathlib, tempfile, zoo
        >>> laser = pathlib.Path(zoo.__file__).parent / "timeseries/samples/laser.txt"
        >>> out = tempfile.mkdtemp() + "/seeds"
        >>> result = zoo.train_seeds("timeseries/ar-laser", 2, manifest=laser, out=out)
        >>> len(result.values), result.spread
        (2, 0.0)
    """
    check_range("seeds", seeds, at_least=1, at_most=1000)
    overrides, folder = dict(overrides or {}), Path(out or default_folder(recipe))
    built = registry.entry(recipe).recipe().override(overrides)
    first = built.training.seed
    if not resume and folder.exists():
        raise ZooError(f"{folder} already exists. Continue it (--resume) or choose another folder.")
    runs = {}
    for seed in range(first, first + seeds):
        run = folder / f"seed-{seed}"
        if seeds > 1:
            say(f"Seed {seed}, {seed - first + 1} of {seeds}: {run}")
        runs[seed] = train_recipe(
            recipe,
            out=run,
            overrides=overrides | {SEED: seed},
            resume=resume and (run / RUN_FILE).exists(),
            on_epoch=functools.partial(on_epoch, seed) if on_epoch else None,
            **arguments,
        )
    return SeedsResult(recipe, built.task.monitor, runs)
