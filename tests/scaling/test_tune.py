"""`zoo tune`: trials, pruning, resumption, results and refusals, with fast trainers."""

import csv
import multiprocessing
import os
import shlex
import signal
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

import zoo
from tests.conftest import AR
from zoo.common.core.errors import ZooError
from zoo.scaling import study as studies
from zoo.scaling.digests import code_digest

LASER = Path(zoo.__file__).parent / "timeseries" / "samples" / "laser.txt"
SPACE = {"model.context": "2..20"}
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Return the result of a sweep over a linear model."""
    out = tmp_path_factory.mktemp("sweeps") / "sweep"
    return zoo.tune(AR, SPACE, trials=4, manifest=LASER, out=out, seeds=2)


def open_study(folder: Path, **changes) -> optuna.Study:
    arguments = {"direction": "minimize", "settings": {"a": 1}, "epochs": 20, "seed": 0}
    storage = f"sqlite:///{folder}/study.db"
    return studies.open_study(storage, "study", **(arguments | changes))


def run_trials(study, objective, trials, folder):
    studies.run_trials(study, objective, trials, folder / "lock", lambda trial: None)


def test_result_has_the_best_trial_and_a_command(swept, run_zoo, tmp_path):
    assert [row["trial"] for row in swept.trials] == [0, 1, 2, 3]
    assert swept.value == min(row["nmse"] for row in swept.trials)
    assert {row["spread"] for row in swept.trials} == {0.0}  # least squares has no random numbers
    words = shlex.split(swept.command)
    assert words[:3] == ["zoo", "train", AR]
    answer = run_zoo(*words[1:], "--out", tmp_path / "run", "--json")
    assert answer.json["best"]["nmse"] == pytest.approx(swept.value)


def test_files_of_a_sweep(swept):
    with (swept.out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["nmse"]) for row in rows] == [row["nmse"] for row in swept.trials]
    assert (swept.out / "trial-0003" / "seed-1" / "run.json").exists()
    assert [path.name for path in swept.files] == ["importance.png", "parallel.png"]
    assert all(png.startswith(b"\x89PNG") for png in swept.pictures())


@pytest.mark.slow
def test_same_call_continues_a_sweep(swept, run_zoo):
    before = [row["nmse"] for row in swept.trials]
    answer = run_zoo(
        *("tune", AR, "--manifest", LASER, "--out", swept.out, "--trials", "5", "--seeds", "2"),
        *("--set", "model.context=2..20", "--json"),
    )
    assert [row["nmse"] for row in answer.json["trials"]][:4] == before
    assert len(answer.json["trials"]) == 5
    assert [line[:7] for line in answer.err.splitlines()] == ["Seed 0,", "Seed 1,", "trial 4"]


def test_other_settings_do_not_continue_a_sweep(swept):
    with pytest.raises(ZooError, match=r"has another value of searched, seeds\. Choose another fo"):
        zoo.tune(AR, {"model.context": "2..30"}, manifest=LASER, out=swept.out)


@pytest.mark.slow
def test_invalid_combination_is_a_failed_trial(tmp_path):
    # 1,000 values are too few for the longer context.
    space = {"model.context": [4, 5000]}
    result = zoo.tune(AR, space, trials=3, manifest=LASER, out=tmp_path / "sweep")
    states = {row["model.context"]: (row["state"], row["error"]) for row in result.trials}
    assert states[4] == ("complete", None)
    assert states[5000][0] == "fail"
    assert states[5000][1]


@pytest.mark.slow
def test_sweep_without_a_complete_trial_states_the_first_error(tmp_path):
    with pytest.raises(ZooError, match=r"^No trial is complete\. The first error: "):
        zoo.tune(
            AR, {"model.context": [5000, 6000]}, trials=2, manifest=LASER, out=tmp_path / "sweep"
        )


def test_bad_trials_are_pruned(tmp_path):
    study, epochs = open_study(tmp_path), []

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0, 1)
        for epoch in range(1, 21):
            value = float(trial.number >= 6)  # all trials after the sixth are worse
            trial.report(value, epoch)
            if trial.should_prune():
                epochs.append(epoch)
                raise optuna.TrialPruned
        return value

    run_trials(study, objective, 8, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 6 + ["PRUNED"] * 2
    assert epochs == [2, 2]  # 10 % of 20 epochs


def _die(folder: str) -> None:
    study = open_study(Path(folder))

    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("x", 0, 1)
        trial.report(0.5, 1)
        if trial.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    run_trials(study, objective, 3, Path(folder))


def test_trial_of_a_killed_process_is_continued(tmp_path, monkeypatch):
    process = multiprocessing.get_context("fork").Process(target=_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    killed = open_study(tmp_path).trials[1]
    assert killed.state == TrialState.RUNNING
    monkeypatch.setattr(studies, "GRACE_SECONDS", 1)
    study, seen = open_study(tmp_path), []

    def objective(trial: optuna.Trial) -> float:
        number = studies.first_number(studies.frozen(study, trial))
        seen.append((number, trial.suggest_float("x", 0, 1)))
        return seen[-1][1]

    run_trials(study, objective, 3, tmp_path)
    assert (1, killed.params["x"]) in seen
    found = studies.last_of_each(study)
    assert [trial.state for trial in found] == [TrialState.COMPLETE] * 3
    assert sorted(number for number, _ in seen) == [1, 2]
    (continued,) = [trial for trial in found if studies.first_number(trial) == 1]
    assert continued.intermediate_values == {1: 0.5}


def test_trial_that_was_put_back_while_its_process_was_suspended(tmp_path):
    study, other = open_study(tmp_path), open_study(tmp_path)

    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("x", 0, 1)
        if trial.number == 0:
            (running,) = other.trials
            studies._retry(other, running)
            other._storage.set_trial_state_values(running._trial_id, TrialState.FAIL)
        trial.report(value, 1)
        return value

    run_trials(study, objective, 1, tmp_path)
    (continued,) = studies.last_of_each(study)
    assert (continued.number, continued.state) == (1, TrialState.COMPLETE)


def test_trial_of_a_process_killed_before_its_first_heartbeat_is_continued(tmp_path, monkeypatch):
    with pytest.warns(UserWarning, match="Heartbeat"):
        open_study(tmp_path).ask()
    monkeypatch.setattr(studies, "GRACE_SECONDS", 1)
    study = open_study(tmp_path)
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]
    run_trials(study, lambda trial: trial.suggest_float("x", 0, 1), 1, tmp_path)
    assert [trial.state for trial in studies.last_of_each(study)] == [TrialState.COMPLETE]


def test_interrupted_trial_is_put_back(tmp_path):
    study = open_study(tmp_path)

    def interrupt(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trials(study, interrupt, 1, tmp_path)
    assert [trial.state for trial in studies.last_of_each(study)] == [TrialState.WAITING]
    run_trials(study, lambda trial: trial.suggest_float("x", 0, 1), 1, tmp_path)
    assert [trial.state for trial in studies.last_of_each(study)] == [TrialState.COMPLETE]


@pytest.mark.parametrize(
    "storage", ["nonsense", "sqlite:////no/such/folder/study.db", "nosuchdb://user:secret@host/db"]
)
def test_storage_that_cannot_be_opened(refused, tmp_path, storage):
    arguments = ("--manifest", LASER, "--set", "model.context=2..20", "--out", tmp_path / "sweep")
    error = refused("tune", AR, *arguments, "--storage", storage)
    assert error.startswith("zoo: --storage must be a database URL")
    assert "secret" not in error
    assert not (tmp_path / "sweep").exists()


def test_refusals(refused, tmp_path, monkeypatch):
    arguments = ("tune", AR, "--manifest", LASER, "--out", tmp_path / "sweep")
    searched = ("--set", "model.context=2..20")
    assert "trials must be at least 1" in refused(*arguments, *searched, "--trials", "0")
    assert "jobs must be at least 1" in refused(*arguments, *searched, "--jobs", "0")
    assert "seeds must be at least 1" in refused(*arguments, *searched, "--seeds", "0")
    assert "A sweep needs a setting" in refused(*arguments)
    assert "--seeds trains" in refused(*arguments, "--set", "training.seed=1,2")
    missing = tmp_path / "none.csv"
    assert "none.csv" in refused("tune", AR, "--manifest", missing, *searched)
    monkeypatch.setattr("zoo.scaling.tune.PACKAGES", ("no_such_package",))
    assert "pip install 'recurrent-zoo[tune]'" in refused(*arguments, *searched)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_several_processes_and_folders_share_a_study(tmp_path):
    """The folders are those of two machines."""
    arguments = {"manifest": LASER, "storage": f"sqlite:///{tmp_path}/shared.db"}
    first = zoo.tune(AR, SPACE, trials=3, jobs=2, out=tmp_path / "first", **arguments)
    second = zoo.tune(AR, SPACE, trials=5, out=tmp_path / "second", **arguments)
    assert [row["trial"] for row in second.trials] == [0, 1, 2, 3, 4]
    assert second.trials[:3] == first.trials
    assert len(list((tmp_path / "second").glob("trial-*"))) == 2


def test_code_digest_depends_on_names_and_contents(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "a.py").write_text("a = 1\n")
    assert code_digest(first) == code_digest(second)
    (second / "a.py").write_text("a = 2\n")
    changed = code_digest(second)
    (second / "a.py").rename(second / "b.py")
    assert len({code_digest(first), changed, code_digest(second)}) == 3


def test_train_with_several_seeds(run_zoo, refused, tmp_path):
    arguments = ("train", AR, "--manifest", LASER, "--out", tmp_path / "runs", "--seeds", "2")
    answer = run_zoo(*arguments, "--set", "training.seed=5", "--json")
    values = [run["nmse"] for run in answer.json["runs"]]
    assert [run["seed"] for run in answer.json["runs"]] == [5, 6]
    assert answer.json["mean"] == pytest.approx(sum(values) / 2)
    assert answer.json["spread"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert "already exists" in refused(*arguments)
