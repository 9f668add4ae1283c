"""Sweeps over settings of a recipe with Optuna."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.display import plain
from zoo.api.seeds import SEED, train_seeds
from zoo.api.sources import find_source, read_train_and_dev
from zoo.api.train import default_folder
from zoo.common.core import registry
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.metrics import DIRECTIONS, HIGHER
from zoo.common.core.recipe import Recipe
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say
from zoo.scaling.digests import code_digest
from zoo.scaling.space import Space, read_space
from zoo.scaling.tune_result import TuneResult, trial_row

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

EXTRA = "tune"
PACKAGES = ("optuna", "sklearn", "matplotlib")
STUDY_FILE, LOCK_FILE = "study.db", ".turn"
# Seeds of the samplers of processes differ by this number.
SEED_STEP = 10_000


@dataclass(frozen=True)
class Sweep:
    """A sweep, as its processes receive it.

    Args:
        recipe: name of the recipe.
        space: the search space.
        trials: number of trials.
        seeds: number of trainings of a trial.
        source: arguments of `zoo.train` that name the examples.
        out: folder of the sweep.
        storage: URL of the database.
        common: settings that all processes of the study must share.
    """

    recipe: str
    space: Space
    trials: int
    seeds: int
    source: dict[str, Path | None]
    out: Path
    storage: str
    common: dict[str, Any]

    @property
    def base(self) -> Recipe:
        """The recipe with the fixed settings."""
        return registry.entry(self.recipe).recipe().override(self.space.fixed)


def tune(
    recipe: str,
    settings: Mapping[str, Any],
    *,
    trials: int = 20,
    jobs: int = 1,
    seeds: int = 1,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    dev_manifest: str | Path | None = None,
    out: str | Path | None = None,
    storage: str | None = None,
) -> TuneResult:
    """Search the settings of a recipe whose metric on dev is best, with Optuna.

    The same call continues a sweep. A trial is ended early if its metric is worse than the median of the
    earlier trials in the same epoch.

    Args:
        recipe: a registered recipe.
        settings: by dotted key one value, a range "1e-4..1e-2", or a list of values.
        trials: number of trials of the study, those of earlier calls included.
        jobs: number of processes that run trials at the same time.
        seeds: number of trainings of a trial. Their mean is optimized.
        data: as in `train`.
        manifest: as in `train`.
        dev_manifest: as in `train`.
        out: folder of the sweep; None for a folder in `runs`.
        storage: URL of a database that several machines share; None for a file in `out`.

    Raises:
        ZooError: a setting, an example or the storage is invalid, Optuna is not installed, or no trial
            is complete.

    Examples:
        >>> import pathlib, tempfile, zoo
        >>> laser = pathlib.Path(zoo.__file__).parent / "timeseries/samples/laser.txt"
        >>> out = tempfile.mkdtemp() + "/sweep"
        >>> space = {"model.context": [4, 16]}
        >>> zoo.tune("timeseries/ar-laser", space, trials=3, manifest=laser, out=out).best
        {'model.context': 4}
    """
    check_range("trials", trials, at_least=1, at_most=100_000)
    check_range("jobs", jobs, at_least=1, at_most=1000)
    check_range("seeds", seeds, at_least=1, at_most=1000)
    check_packages(PACKAGES, EXTRA)
    entry = registry.entry(recipe)
    space = read_space(entry.recipe(), settings)
    if SEED in space.searched:
        raise ZooError(f"{SEED} cannot be searched: --seeds trains each trial with several seeds.")
    base = entry.recipe().override(space.fixed)
    check_packages((*base.training.packages, *base.task.packages), "train")
    source = find_source(data, manifest, entry.corpus)
    examples = read_train_and_dev(base, entry.corpus, source)
    if not examples.train:
        raise ZooError(f"There are no examples to train on in {source}.")
    common = space.to_dict() | {
        "seeds": seeds,
        "data": base.data.checksum(examples.train + examples.dev),
        "code": code_digest(),
    }
    del examples
    paths = {"data": data, "manifest": manifest, "dev_manifest": dev_manifest}
    out = Path(out or f"{default_folder(recipe)}-tune")
    sweep = Sweep(
        recipe,
        space,
        trials,
        seeds,
        {key: None if path is None else Path(path) for key, path in paths.items()},
        out,
        storage or f"sqlite:///{(out / STUDY_FILE).absolute()}",
        common,
    )
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        study = _open(sweep)
    except ZooError:
        if made:
            out.rmdir()
        raise
    if jobs == 1:
        _work(sweep)
    else:
        _work_in_processes(sweep, jobs)
    return TuneResult.write(study, sweep.recipe, base.task.monitor, space, sweep.source, out)


def _open(sweep: Sweep, number: int = 0) -> optuna.Study:
    from zoo.scaling.study import open_study

    base = sweep.base
    return open_study(
        sweep.storage,
        sweep.recipe,
        "maximize" if DIRECTIONS[base.task.monitor] == HIGHER else "minimize",
        sweep.common,
        getattr(base.training, "epochs", 1),
        base.training.seed + SEED_STEP * number,
    )


def _work(sweep: Sweep, number: int = 0) -> None:
    """Run trials of a sweep in this process, whose number counts from 0."""
    from zoo.scaling.study import run_trials

    study = _open(sweep, number)
    metric = sweep.base.task.monitor

    def log(trial: FrozenTrial) -> None:
        row = trial_row(trial, metric)
        say("  ".join(f"{key} {plain(value)}" for key, value in row.items() if value is not None))

    run_trials(study, _Objective(sweep, study), sweep.trials, sweep.out / LOCK_FILE, log)


class _Objective:
    """Train the recipe with the settings of a trial."""

    def __init__(self, sweep: Sweep, study: optuna.Study):
        self.sweep, self.study = sweep, study

    def __call__(self, trial: optuna.Trial) -> float:
        from zoo.scaling import study as studies

        sweep = self.sweep
        monitor = sweep.base.task.monitor
        number = studies.first_number(studies.frozen(self.study, trial))
        found = sweep.space.suggest(trial)
        started = time.perf_counter()
        first = sweep.base.training.seed

        def report(row: dict[str, float]) -> None:
            """Report an epoch of the first seed, and end the trial if its metric is too bad."""
            trial.report(row[monitor], int(row["epoch"]))
            if trial.should_prune():
                import optuna

                raise optuna.TrialPruned

        try:
            result = train_seeds(
                sweep.recipe,
                sweep.seeds,
                out=sweep.out / f"trial-{number:04}",
                overrides=sweep.space.fixed | found,
                resume=True,
                on_epoch=lambda seed, row: report(row) if seed == first else None,
                log=_discard,
                **sweep.source,
            )
            if sweep.seeds > 1:
                trial.set_user_attr("spread", result.spread)
            return result.mean
        except ZooError as error:
            trial.set_user_attr(studies.ERROR, str(error))
            raise
        finally:
            trial.set_user_attr("seconds", round(time.perf_counter() - started, 1))
            _clear()


def _work_in_processes(sweep: Sweep, jobs: int) -> None:
    """Run trials in several processes. They end when this process ends.

    Raises:
        ZooError: a process died.
    """
    context = multiprocessing.get_context("spawn")
    # A process divides the cores of the machine with the others.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    workers = [context.Process(target=_worker, args=(sweep, number)) for number in range(jobs)]
    with ExitStack() as stack:
        for worker in workers:
            worker.start()
            stack.callback(worker.terminate)
        for worker in workers:
            worker.join()
    if failed := [worker for worker in workers if worker.exitcode]:
        raise ZooError(
            f"{len(failed)} of {jobs} processes of the sweep ended with an error. The same command "
            "continues the sweep."
        )


def _worker(sweep: Sweep, number: int) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    try:
        _work(sweep, number)
    except ZooError as error:
        say(f"zoo: {error}")
        raise SystemExit(1) from None


def _discard(line: str) -> None:
    pass


def _clear() -> None:
    """Free the models of the last trial."""
    import sys

    if keras := sys.modules.get("keras"):
        keras.utils.clear_session()
