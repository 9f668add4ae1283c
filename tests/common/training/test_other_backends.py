"""JAX and PyTorch train without TensorFlow, and their presets run on TensorFlow.

A backend that is not installed is skipped: `pip install '.[backends]'`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import zoo

HERE = Path(__file__).parent
ROOT = Path(zoo.__file__).parents[1]
TEXT = ROOT / "zoo" / "language" / "samples" / "coriolanus.txt"
LASER = ROOT / "zoo" / "timeseries" / "samples" / "laser.txt"
DIGITS = ROOT / "tests" / "data" / "fsdd"
BACKENDS = ("jax", "torch")
# Tests that run on any backend and cover the differences between backends.
NEUTRAL = (
    "test_averaging.py",
    "test_loop.py::test_a_run_learns_and_logs",
    "test_loop.py::test_a_resumed_run_equals_an_uninterrupted_one",
    "test_loop.py::test_a_nan_loss_stops_the_run_and_names_the_examples",
    "test_optimizers.py",
    "test_training_model.py",
)

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
"""
TESTS = f"""{WITHOUT_TENSORFLOW}
import pytest
options = ["-q", "--noconftest", "-p", "no:cacheprovider", "--rootdir", sys.argv[1]]
sys.exit(pytest.main([*options, *sys.argv[2:]]))
"""
COMMAND = """
import sys
from zoo.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Training:
    """One epoch of a small model of a family.

    Args:
        recipe: name of the recipe.
        manifest: writes the examples into a folder and returns their file; None for `data`.
        data: folder of the corpus.
        settings: settings that make the model small.
        source: an input that the preset answers.
        without_tensorflow: whether TensorFlow cannot be imported. `keras.layers.Rescaling` needs it on
            every backend.
    """

    recipe: str
    manifest: Callable[[Path], Path] | None
    settings: dict[str, object]
    source: str
    data: Path | None = None
    without_tensorflow: bool = True


def _text(folder: Path) -> Path:
    path = folder / "text.txt"
    path.write_text(TEXT.read_text()[:4000])
    return path


def _drawings(folder: Path) -> Path:
    """Zigzag lines of several lengths."""
    strokes = [[[[x, (x % 2) * size] for x in range(6 + size)]] for size in range(1, 9)]
    path = folder / "drawings.jsonl"
    path.write_text("".join(json.dumps({"strokes": each}) + "\n" for each in strokes))
    return path


TRAININGS = (
    Training(
        "timeseries/gru-laser",
        lambda folder: LASER,
        {"model.hidden_size": 8, "model.context": 8},
        str(LASER),
        without_tensorflow=False,
    ),
    Training(
        "language/charlstm-shakespeare",
        _text,
        {"model.hidden_size": 8, "model.embedding_size": 6, "data.time_steps": 8},
        "First Citizen:",
    ),
    Training(
        "speech/tdnn-fsdd",
        None,
        {},
        str(next(iter(sorted(DIGITS.rglob("*.flac"))), "")),
        data=DIGITS,
    ),
    Training("vision_language/mdn-lstm-omniglot", _drawings, {"model.hidden_size": 8}, "new"),
)
# The fastest one is part of the fast suite.
FAST = (("jax", "timeseries/gru-laser"),)
CASES = [
    pytest.param(
        backend,
        training,
        id=f"{backend}-{training.recipe}",
        marks=[] if (backend, training.recipe) in FAST else [pytest.mark.slow],
    )
    for backend in BACKENDS
    for training in TRAININGS
]


def run(backend: str, code: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run code in a process on a backend."""
    pytest.importorskip(backend)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_tests_of_the_loop_pass(backend):
    out = run(backend, TESTS, ROOT, *(HERE / name for name in NEUTRAL)).stdout
    assert "failed" not in out
    assert " passed" in out


@pytest.mark.parametrize(("backend", "training"), CASES)
def test_a_preset_of_another_backend_runs_on_tensorflow(backend, training, tmp_path):
    folder = tmp_path / "run"
    examples = {"data": training.data}
    if training.manifest:
        examples = {"manifest": training.manifest(tmp_path)}
    settings = {"training.epochs": 1, "training.batch_size": 8} | training.settings
    done = run(
        backend,
        WITHOUT_TENSORFLOW * training.without_tensorflow + COMMAND,
        *("train", training.recipe, "--out", folder, "--json"),
        *(part for name, path in examples.items() for part in (f"--{name}", path)),
        *(part for key, value in settings.items() for part in ("--set", f"{key}={value}")),
    )
    assert "cudart" not in done.stderr
    best = json.loads(done.stdout)["best"]
    preset = zoo.load(folder)
    metric = preset.recipe.task.monitor
    result = zoo.evaluate(preset, split="dev", **examples)
    assert result.metrics[metric] == pytest.approx(best[metric], rel=1e-3, abs=1e-3)
    versions = json.loads((folder / "run.json").read_text())["versions"]
    assert backend in versions
    (answer,) = preset.predict([training.source])
    assert answer["output"]
