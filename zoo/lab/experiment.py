"""Register, find and run experiments."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError, nearest
from zoo.common.utils.files import atomic_file
from zoo.common.utils.packages import check_packages
from zoo.common.utils.plots import save
from zoo.common.utils.quiet import start_backend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBERS_FILE = "numbers.json"

Run = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    Args:
        numbers: JSON-ready values.
        figures: figures by the name of their PNG file, without ".png".
        text: the text that the command prints.
    """

    numbers: dict[str, Any]
    figures: dict[str, Figure]
    text: str


@dataclass(frozen=True)
class Experiment:
    """A registered experiment.

    Args:
        name: name of the experiment.
        run: returns the outcome. With `takes_text`, its argument is the user's text or None.
        summary: first line of the docstring of `run`.
        seconds: approximate time on two cores, including the start of TensorFlow.
        takes_text: whether the experiment reads a text.
    """

    name: str
    run: Run
    summary: str
    seconds: int
    takes_text: bool = False


_experiments: dict[str, Experiment] = {}


def register_experiment(
    name: str, *, seconds: int, takes_text: bool = False
) -> Callable[[Run], Run]:
    """Return a decorator that registers a function as an experiment.

    Args:
        name: name of the experiment.
        seconds: see `Experiment`.
        takes_text: see `Experiment`.

    Raises:
        ZooError: an experiment of that name exists.
    """

    def decorate(run: Run) -> Run:
        if name in _experiments:
            raise ZooError(f"The experiment {name!r} is registered twice.")
        summary = (inspect.getdoc(run) or "").partition("\n")[0]
        _experiments[name] = Experiment(name, run, summary, seconds, takes_text)
        return run

    return decorate


def experiments() -> list[Experiment]:
    """Return all experiments, sorted by name."""
    _find()
    return [_experiments[name] for name in sorted(_experiments)]


def experiment(name: str) -> Experiment:
    """Return the experiment of that name.

    Raises:
        ZooError: there is no such experiment. The message lists the nearest names.
    """
    _find()
    if name not in _experiments:
        raise ZooError(f"There is no experiment {name!r}. {nearest(name, _experiments)}")
    return _experiments[name]


def run_experiment(
    name: str, out: Path | None = None, text: str | None = None
) -> tuple[Outcome, list[Path]]:
    """Run an experiment and write its figures and `numbers.json`.

    Args:
        name: name of the experiment.
        out: output directory; None for `runs/lab/NAME`. Existing results are replaced.
        text: input text, for experiments that read one.

    Returns:
        The outcome, and the files that were written.

    Raises:
        ZooError: an unknown experiment, a text that is invalid or not accepted, a backend other than
            TensorFlow, a package that is not installed, or a folder that cannot be written.
    """
    chosen = experiment(name)
    if text is not None and not chosen.takes_text:
        takers = ", ".join(other.name for other in experiments() if other.takes_text)
        raise ZooError(
            f"The experiment {name!r} does not accept --text. Experiments that do: {takers}."
        )
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise ZooError(f"zoo lab must run on TensorFlow. Received: KERAS_BACKEND={backend!r}.")
    check_packages(("matplotlib", "jiwer"), "train")
    folder = out or Path("runs") / "lab" / name
    # Opened before the experiment runs, so that an unwritable folder is reported at once.
    with atomic_file(folder / NUMBERS_FILE) as numbers_file:
        start_backend()
        outcome = chosen.run(text) if chosen.takes_text else chosen.run()
        content = json.dumps(outcome.numbers, indent=2, ensure_ascii=False, allow_nan=False)
        numbers_file.write_text(content + "\n", encoding="utf-8")
        files = [save(figure, folder / f"{key}.png") for key, figure in outcome.figures.items()]
    return outcome, [*files, folder / NUMBERS_FILE]


@functools.cache
def _find() -> None:
    from zoo.lab import experiments as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
