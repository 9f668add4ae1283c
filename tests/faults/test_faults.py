"""Test that killed processes, full disks and concurrent writers lose and corrupt no data.

Faults are injected at chosen writes, spread evenly over all writes of a command.
"""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import settings
from tests.faults.child import FULL, KILL, Fault, run_zoo
from zoo.common.presets import runs, store
from zoo.common.runtime import open_graphs
from zoo.common.runtime.preset import load_preset
from zoo.language.modelling.data import SAMPLE as TEXT

pytestmark = pytest.mark.slow

# Number of kills per trainer and command.
KILLS = {"gradients": 18, "counting": 9, "least squares": 9, "publish": 8, "export": 8}


@pytest.fixture(scope="session")
def commands(laser_corpus, tmp_path_factory) -> dict[str, list]:
    """Return the arguments of `zoo train` for each trainer, without the run folder."""
    book = tmp_path_factory.mktemp("text") / "book.txt"
    book.write_text("\n".join(TEXT.read_text().splitlines()[:60]))
    small = ("training.epochs=2", "model.hidden_size=8", "training.batch_size=8")
    context = "model.context=8"
    return {
        "gradients": [
            *("timeseries/lstm-laser", "--data", laser_corpus),
            *settings(*small, context),
        ],
        "counting": ["language/kn5-ptb", "--manifest", book],
        "least squares": [
            "timeseries/ar-laser",
            "--data",
            laser_corpus,
            *settings(context),
        ],
    }


@pytest.fixture(scope="session")
def whole(commands, tmp_path_factory):
    """Return, for each trainer, a run without faults and the number of changes to its folder."""
    found, folder = {}, tmp_path_factory.mktemp("whole")
    for name, command in commands.items():
        fault = Fault(KILL, folder / name, 10**9)
        done = run_zoo(["train", *command, "--out", folder / name], folder / "log", fault)()
        assert done.status == 0, done.err
        found[name] = (folder / name, done.changes)
    return found


def numbers(changes: int, kills: int) -> list[int]:
    """Return the changes before which to kill: evenly spaced, including the first and the last."""
    return sorted({round(at) for at in np.linspace(1, changes, min(kills, changes))})


def one_line(outcome) -> None:
    """Check that an error is one line without a traceback."""
    assert "Traceback" not in outcome.err
    lines = [line for line in outcome.err.splitlines() if line.startswith("zoo: ")]
    assert (len(lines) == 1) == (outcome.status == 1), outcome.err


def left_over(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".*")]


def same_run(folder: Path, other: Path) -> None:
    """Check that two runs have the same history and the same model."""
    rows, others = runs.read_history(folder), runs.read_history(other)
    for row in (*rows, *others):
        for key in ("seconds", "batches_per_second"):
            row.pop(key, None)
    assert rows == others
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in other.iterdir()}
    recipe = store.load_recipe(folder)
    if recipe.model.file.endswith(".keras"):
        pairs = zip(
            load_preset(folder).model.weights, load_preset(other).model.weights, strict=True
        )
        assert all(np.array_equal(np.array(a), np.array(b)) for a, b in pairs)
    else:
        assert (folder / recipe.model.file).read_bytes() == (other / recipe.model.file).read_bytes()


@pytest.mark.parametrize("trainer", ["gradients", "counting", "least squares"])
def test_killed_training_resumes_with_the_same_result(trainer, commands, whole, tmp_path):
    reference, changes = whole[trainer]
    for number in numbers(changes, KILLS[trainer]):
        folder, log = tmp_path / str(number) / "run", tmp_path / "log"
        command = ["train", *commands[trainer], "--out", folder]
        killed = run_zoo(command, log, Fault(KILL, folder, number))()
        assert killed.status == -signal.SIGKILL, killed.err
        resume = ["--resume"] if (folder / runs.RUN_FILE).exists() else []
        done = run_zoo([*command, *resume], log)()
        assert done.status == 0, (number, done.err)
        assert left_over(folder) == []
        same_run(folder, reference)


def test_killed_publication_leaves_the_old_or_the_new_preset(laser, whole, tmp_path):
    run = shutil.copytree(whole["least squares"][0], tmp_path / "run")
    root, log, name = tmp_path / "presets", tmp_path / "log", "timeseries/ar-laser"
    command = ["publish", run, "--data", laser]
    for first in (True, False):
        fault = Fault(KILL, root, 10**9)
        shutil.rmtree(root, ignore_errors=True)
        if not first:
            assert run_zoo(command, log, root=root)().status == 0
        changes = run_zoo(command, log, fault, root)().changes
        for number in numbers(changes, KILLS["publish"]):
            if first:
                shutil.rmtree(root, ignore_errors=True)
            run_zoo(command, log, Fault(KILL, root, number), root)()
            folder = root / name
            assert folder.exists() or first, number
            if folder.exists():
                assert load_preset(folder).metrics["figures"].keys() == {"dev", "test"}
        assert run_zoo(command, log, root=root)().status == 0
        assert left_over(root) == []


def test_killed_export_is_complete_or_absent(whole, tmp_path):
    run, log = tmp_path / "run", tmp_path / "log"
    for format_ in ("onnx", "litert", "savedmodel"):
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(whole["gradients"][0], run)
        command = ["export", run, "--to", format_, "--out", tmp_path / "out"]
        fault = Fault(KILL, tmp_path / "out", 10**9)
        done = run_zoo(command, log, fault)()
        assert done.status == 0, done.err
        for number in numbers(done.changes, KILLS["export"]):
            shutil.rmtree(tmp_path / "out")
            run_zoo(command, log, Fault(KILL, tmp_path / "out", number))()
            again = run_zoo(command, log)()
            assert again.status == 0 or "already exists" in again.err, (number, again.err)
            assert set(open_graphs(format_, tmp_path / "out")) >= {"model"}
            assert left_over(tmp_path / "out") == []
        shutil.rmtree(tmp_path / "out")


@pytest.mark.parametrize("trainer", ["gradients", "counting", "least squares"])
def test_training_resumes_after_a_full_disk(trainer, commands, whole, tmp_path):
    reference, changes = whole[trainer]
    for number in numbers(changes, 6):
        folder, log = tmp_path / str(number) / "run", tmp_path / "log"
        command = ["train", *commands[trainer], "--out", folder]
        full = run_zoo(command, log, Fault(FULL, folder, number))()
        one_line(full)
        assert full.status in (0, 1)
        if full.status:
            assert "No space left on device" in full.err
        resume = ["--resume"] if (folder / runs.RUN_FILE).exists() else []
        done = run_zoo([*command, *resume], log)()
        assert done.status == 0, (number, done.err)
        same_run(folder, reference)


def test_full_disk_keeps_preset_and_exports(laser, whole, tmp_path):
    run = shutil.copytree(whole["least squares"][0], tmp_path / "run")
    root, log = tmp_path / "presets", tmp_path / "log"
    publish = ["publish", run, "--data", laser]
    assert run_zoo(publish, log, root=root)().status == 0
    folder = root / "timeseries" / "ar-laser"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for number in range(1, 12, 2):
        one_line(full := run_zoo(publish, log, Fault(FULL, root, number), root)())
        if full.status:
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    for format_ in ("onnx", "litert"):
        for number in (1, 2, 4):
            export = ["export", run, "--to", format_]
            one_line(full := run_zoo(export, log, Fault(FULL, run, number))())
            assert full.status == 1, number
            assert not (run / format_).exists(), number
    assert left_over(tmp_path) == []


def test_one_of_two_concurrent_writers_succeeds(commands, laser, whole, tmp_path):
    """The result equals that of a single writer."""
    reference = whole["gradients"][0]
    for pair in range(4):
        folder = tmp_path / f"run{pair}"
        train = ["train", *commands["gradients"], "--out", folder]
        waits = [run_zoo(train, tmp_path / f"log{i}") for i in range(2)]
        done = sorted((wait() for wait in waits), key=lambda outcome: outcome.status)
        assert [outcome.status for outcome in done] == [0, 1], done
        assert "is in use" in done[1].err or "already exists" in done[1].err
        same_run(folder, reference)
        one_line(done[1])
    run = shutil.copytree(whole["least squares"][0], tmp_path / "run")
    for command in (["export", run, "--to", "onnx"], ["publish", run, "--data", laser]):
        root = tmp_path / "presets"
        waits = [run_zoo(command, tmp_path / f"log{i}", root=root) for i in range(2)]
        done = sorted((wait() for wait in waits), key=lambda outcome: outcome.status)
        assert done[0].status == 0, done
        assert done[1].status == 0 or "in use" in done[1].err or "already exists" in done[1].err
    assert os.listdir(tmp_path / "presets" / "timeseries") == ["ar-laser"]
