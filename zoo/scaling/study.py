"""Optuna studies: open one, share it between processes, and retry the trials of killed processes."""

from __future__ import annotations

import fcntl
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from zoo.common.core.errors import ZooError

# A running trial records a heartbeat. A trial without one for the second period is of a process that
# died: it is marked as failed, and a copy of it waits for a process that continues it.
HEARTBEAT_SECONDS, GRACE_SECONDS = 10, 60
SETTINGS = "zoo"
# Attribute of a trial with the error for which it failed.
ERROR = "error"
POLL_SECONDS = 2.0
# Trials that finish before the median prunes others, and the share of epochs that is never pruned.
STARTUP_TRIALS, UNPRUNED_SHARE = 5, 0.1

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
_retry = RetryHeartbeatStaleTrialCallback(inherit_intermediate_values=True)


def open_study(
    storage: str,
    name: str,
    direction: Literal["minimize", "maximize"],
    settings: dict[str, Any],
    epochs: int,
    seed: int,
) -> optuna.Study:
    """Return a study, which is made if it does not exist.

    Args:
        storage: URL of a database, as SQLAlchemy reads it.
        name: name of the study.
        direction: "minimize" or "maximize".
        settings: settings that all processes of the study must share, JSON-ready.
        epochs: number of epochs of a trial, of which the first ones are not pruned.
        seed: seed of the sampler.

    Raises:
        ZooError: the database cannot be opened, or the study has other settings.
    """
    try:
        database = RDBStorage(
            storage,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=_retry,
        )
        study = optuna.create_study(
            storage=database,
            study_name=name,
            direction=direction,
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=STARTUP_TRIALS, n_warmup_steps=round(UNPRUNED_SHARE * epochs)
            ),
            load_if_exists=True,
        )
    except ImportError as error:
        raise ZooError(f"--storage needs a package: {error}.") from None
    except Exception as error:  # any error of SQLAlchemy and its drivers; it may contain a password
        raise ZooError(
            "--storage must be a database URL such as sqlite:///study.db that can be opened. "
            f"Received: {_without_password(storage)} ({type(error).__name__})."
        ) from None
    # A sampler with the seed of an earlier process would repeat its first settings.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials(deepcopy=False)))
    held = study.user_attrs.get(SETTINGS)
    if held is None:
        study.set_user_attr(SETTINGS, settings)
    elif other := [key for key in settings if held.get(key) != settings[key]]:
        raise ZooError(
            f"The study {name!r} in {_without_password(storage)} has another value of "
            f"{', '.join(other)}. Choose another folder (--out) or storage (--storage)."
        )
    return study


def run_trials(
    study: optuna.Study,
    objective: Callable[[optuna.Trial], float],
    trials: int,
    lock: Path,
    log: Callable[[FrozenTrial], None],
) -> None:
    """Run trials until the study has as many as requested, and none is running.

    Args:
        study: the study. Other processes may run its trials too.
        objective: runs a trial and returns its value.
        trials: number of trials of the study; a trial that is continued counts once.
        lock: file that the processes of this machine lock to begin a trial, one after another.
        log: receives each trial of this process when it has ended.
    """
    seen: set[int] = set()
    with lock.open("w") as turn:

        def begun(trial: optuna.Trial) -> float:
            fcntl.flock(turn, fcntl.LOCK_UN)
            try:
                return objective(trial)
            except KeyboardInterrupt:
                _retry(study, frozen(study, trial))
                raise

        while True:
            fcntl.flock(turn, fcntl.LOCK_EX)
            found = last_of_each(study)
            _record_heartbeats(study, [trial for trial in found if trial.number not in seen])
            seen |= {trial.number for trial in found}
            states = {trial.state for trial in found}
            if len(found) < trials or TrialState.WAITING in states:
                try:
                    study.optimize(
                        begun,
                        n_trials=1,
                        catch=(ZooError,),
                        callbacks=[lambda _, trial: log(trial)],
                    )
                except ValueError as error:
                    # This process was suspended, and another one has put its trial back.
                    if "Cannot tell a FAIL trial" not in str(error):
                        raise
                continue
            fcntl.flock(turn, fcntl.LOCK_UN)
            if TrialState.RUNNING not in states:
                return
            time.sleep(POLL_SECONDS)
            optuna.storages.fail_stale_trials(study)


def _record_heartbeats(study: optuna.Study, trials: list[FrozenTrial]) -> None:
    """Record a heartbeat of running trials, since Optuna does not find a stale trial without one.

    A process that is killed right after the begin of a trial has not recorded any.
    """
    storage: Any = study._storage
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            storage.record_heartbeat(trial._trial_id)


def frozen(study: optuna.Study, trial: optuna.Trial) -> FrozenTrial:
    """Return the present state of a trial."""
    return study.get_trials(deepcopy=False)[trial.number]


def first_number(trial: FrozenTrial) -> int:
    """Return the number of a trial; of a continued one, the number of the interrupted trial."""
    interrupted = RetryHeartbeatStaleTrialCallback.retried_trial_number(trial)
    return trial.number if interrupted is None else interrupted


def last_of_each(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials in order, each in its last state, without the interrupted ones."""
    found = {first_number(trial): trial for trial in study.get_trials(deepcopy=False)}
    return [found[number] for number in sorted(found)]


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:  # not a URL
        return repr(url.partition("@")[0].partition("://")[0])
