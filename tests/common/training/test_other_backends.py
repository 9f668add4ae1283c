"""JAX and PyTorch train without TensorFlow, and what they train runs on TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.api.evaluate import evaluate

HERE = Path(__file__).parent
ROOT = Path(zoo.__file__).parents[1]
TEXT = ROOT / "zoo" / "language" / "samples" / "coriolanus.txt"
BACKENDS = ("jax", "torch")
# Tests of files that run on any backend: those where backends differ.
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
COMMAND = f"""{WITHOUT_TENSORFLOW}
from zoo.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
TINY = (
    "model.hidden_size=8",
    "model.embedding_size=6",
    "data.time_steps=8",
    "training.batch_size=8",
    "training.epochs=2",
)


def run(backend: str, code: str, *arguments: object) -> str:
    """What a process that cannot import TensorFlow writes to stdout."""
    pytest.importorskip(backend)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_loop_runs(backend):
    """The tests of the loop, once more."""
    out = run(backend, TESTS, ROOT, *(HERE / name for name in NEUTRAL))
    assert "failed" not in out
    assert " passed" in out


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_language_model_trained_elsewhere_runs_on_tensorflow(backend, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT.read_text()[:4000])
    settings = [part for setting in TINY for part in ("--set", setting)]
    recipe, data = "language/charlstm-shakespeare", ("--manifest", tmp_path / "text.txt")
    out = run(
        backend, COMMAND, "train", recipe, *data, *settings, "--out", tmp_path / "run", "--json"
    )
    best = json.loads(out)["best"]
    result = evaluate(str(tmp_path / "run"), manifest=tmp_path / "text.txt", split="dev")
    assert result.metrics["nats_per_char"] == pytest.approx(best["nats_per_char"], abs=1e-4)
    versions = json.loads((tmp_path / "run" / "run.json").read_text())["versions"]
    assert backend in versions
    preset = zoo.load(str(tmp_path / "run"))
    (text,) = preset.predict(["First Citizen:"])
    assert text["output"].startswith("First Citizen:")
    assert len(text["output"]) == len("First Citizen:") + preset.recipe.decoder.length
