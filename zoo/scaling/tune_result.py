"""The result of a sweep: its table, its pictures and its best settings."""

from __future__ import annotations

import csv
import io
import shlex
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.display import read_pictures
from zoo.api.results import Result
from zoo.common.core.errors import ZooError
from zoo.common.utils.files import atomic_file, write_text
from zoo.common.utils.progress import say
from zoo.scaling.space import Space

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes
    from optuna.trial import FrozenTrial

TABLE_FILE = "trials.csv"
IMPORTANCE = "importance.png"
PICTURES = (IMPORTANCE, "parallel.png")


@dataclass(frozen=True, repr=False)
class TuneResult(Result):
    """Result of `zoo.tune`.

    Args:
        recipe: name of the recipe.
        metric: name of the metric on dev that is optimized.
        out: the folder of the sweep, with its table, pictures and run folders.
        best: the best settings by dotted key, the fixed ones included.
        value: value of the metric with the best settings; a mean with several seeds.
        command: the `zoo train` command with the best settings.
        trials: one row per trial: its number, its state, the metric, its settings.
        files: paths of the pictures.
    """

    recipe: str
    metric: str
    out: Path
    best: dict[str, Any]
    value: float
    command: str
    trials: list[dict[str, Any]]
    files: list[Path] = field(default_factory=list)

    @classmethod
    def write(
        cls,
        study: optuna.Study,
        recipe: str,
        metric: str,
        space: Space,
        source: dict[str, Path | None],
        out: Path,
    ) -> TuneResult:
        """Write the table and the pictures of a study, and return its result.

        Args:
            study: a study without running trials.
            recipe: name of the recipe.
            metric: name of the metric.
            space: the search space.
            source: arguments of `zoo.train` that name the examples.
            out: folder for the files.

        Raises:
            ZooError: no trial is complete, or a file cannot be written.
        """
        from optuna.trial import TrialState

        from zoo.scaling.study import ERROR, last_of_each

        trials = last_of_each(study)
        rows = [trial_row(trial, metric) for trial in trials]
        write_text(out / TABLE_FILE, _csv(rows))
        complete = sum(trial.state == TrialState.COMPLETE for trial in trials)
        if not complete:
            errors = [trial.user_attrs[ERROR] for trial in trials if ERROR in trial.user_attrs]
            raise ZooError(f"No trial is complete. The first error: {(errors or ['none'])[0]}")
        best = space.fixed | study.best_params
        return cls(
            recipe,
            metric,
            out,
            best,
            study.best_value,
            _command(recipe, best, source),
            rows,
            _draw(study, metric, out) if complete > 1 else [],
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "metric": self.metric,
            "value": self.value,
            "best": self.best,
            "command": self.command,
            "out": str(self.out),
            "trials": self.trials,
            "plots": [str(path) for path in self.files],
        }

    def lines(self) -> list[str]:
        return [
            f"{self.recipe}, {len(self.trials)} trials",
            f"best dev {self.metric}: {self.value:.4g}",
            self.command,
        ]

    def table(self) -> list[dict[str, Any]]:
        return self.trials

    def pictures(self) -> list[bytes]:
        return read_pictures(self.files)


def trial_row(trial: FrozenTrial, metric: str) -> dict[str, Any]:
    """Return a trial as a row of a table. The metric of a pruned trial is the one of its last epoch."""
    from zoo.scaling.study import ERROR, first_number

    return {
        "trial": first_number(trial),
        "state": trial.state.name.lower(),
        metric: trial.value,
        "spread": trial.user_attrs.get("spread"),
        **trial.params,
        "epochs": len(trial.intermediate_values),
        "seconds": trial.user_attrs.get("seconds"),
        "error": trial.user_attrs.get(ERROR),
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    # A trial that failed at its start has no settings.
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _command(recipe: str, best: dict[str, Any], source: dict[str, Path | None]) -> str:
    words = ["zoo", "train", recipe]
    for key, path in source.items():
        words += [f"--{key.replace('_', '-')}", str(path)] if path else []
    for key, value in best.items():
        if isinstance(value, bool):
            value = str(value).lower()
        elif value is None:
            value = "none"
        elif isinstance(value, list | tuple):
            value = ",".join(map(str, value))
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _draw(study: optuna.Study, metric: str, out: Path) -> list[Path]:
    """Draw the importance of settings and their parallel coordinates. Return the files."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from optuna.visualization import matplotlib as plots

    drawn = []
    functions: list[Any] = [plots.plot_param_importances, plots.plot_parallel_coordinate]
    for name, plot in zip(PICTURES, functions, strict=True):
        try:
            with warnings.catch_warnings(), atomic_file(out / name) as temporary:
                warnings.simplefilter("ignore")
                axes = plot(study, target_name=f"dev {metric}")
                _restyle(axes, name, f"dev {metric}", study)
                figure = axes.figure
                figure.set_size_inches(9, 5)
                figure.savefig(temporary, dpi=120, bbox_inches="tight")
            drawn.append(out / name)
        except (ValueError, RuntimeError) as error:  # such as equal values in all trials
            say(f"Not drawn: {name}: {' '.join(str(error).split())}")
        finally:
            pyplot.close("all")
    return drawn


def _restyle(axes: Axes, name: str, metric: str, study: optuna.Study) -> None:
    """Write whole names of settings, and draw the best trials dark and the worst ones still visible."""
    if name == IMPORTANCE:
        axes.set_title(f"Importance of the settings for {metric}", loc="left")
        axes.set(ylabel="", xlabel="importance")
        if legend := axes.get_legend():
            legend.remove()
        return
    axes.set_title("Settings of the complete trials")
    names = [metric, *sorted(study.best_params)]
    axes.set_xticks(range(len(names)), [each.replace(".", "\n") for each in names], rotation=0)
    for each in axes.figure.axes:
        each.grid(visible=False)
    maximized = study.direction.name == "MAXIMIZE"
    for lines in axes.collections:
        lines.set_cmap("viridis_r" if maximized else "viridis")
