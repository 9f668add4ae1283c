"""Test the run folder: state, history, record."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.presets import runs
from zoo.common.presets.provenance import provenance
from zoo.common.utils import plots
from zoo.common.utils.plots import plot_learning_curves

HISTORY = [
    {"epoch": 1, "loss": 2.5, "wer": 1.0, "learning_rate": 0.001},
    {"epoch": 2, "loss": 0.1 + 0.2, "wer": 0.5, "learning_rate": 0.0005},
]


def load_state(folder, variables) -> list[dict[str, float]]:
    history, values = runs.read_state(folder, variables)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return history


def variables(seed: int = 0) -> list[tf.Variable]:
    generator = np.random.default_rng(seed)
    return [
        tf.Variable(generator.normal(size=(2, 3)).astype(np.float32)),
        tf.Variable(generator.integers(0, 2**31, 2).astype(np.uint32)),
        tf.Variable(tf.cast(generator.normal(size=4), tf.float32)),
        tf.Variable(np.int64(7 + seed)),
    ]


def test_the_state_is_restored_exactly(tmp_path):
    saved, other = variables(), variables(1)
    runs.save_state(tmp_path, saved, HISTORY)
    assert load_state(tmp_path, other) == HISTORY
    for a, b in zip(saved, other, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["last.npz"]


def test_state_of_another_model(tmp_path):
    runs.save_state(tmp_path, variables(), HISTORY)
    before = variables(1)
    for others in (before[:-1], [tf.Variable(tf.zeros([3, 2])), *before[1:]]):
        with pytest.raises(ZooError, match="another model"):
            load_state(tmp_path, others)


def test_no_state(tmp_path):
    with pytest.raises(ZooError, match=r"^Nothing to resume: .*last\.npz does not exist"):
        load_state(tmp_path, variables())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_truncated_state(tmp_path, share):
    runs.save_state(tmp_path, variables(), HISTORY)
    path = tmp_path / runs.STATE_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ZooError, match="is corrupt"):
        load_state(tmp_path, variables())


def test_state_is_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the state was unpickled",))

    np.savez(tmp_path / runs.STATE_FILE, v0000=np.array([Trap()], dtype=object))
    with pytest.raises(ZooError, match="is corrupt"):
        load_state(tmp_path, variables())


def test_the_history_is_restored_exactly(tmp_path):
    runs.write_history(tmp_path, HISTORY)
    assert runs.read_history(tmp_path) == HISTORY


@pytest.mark.parametrize("metric", ["wer", "accuracy"])
def test_the_history_is_plotted(tmp_path, metric):
    rows = [row | {"accuracy": 1 - row["wer"]} for row in HISTORY]
    plot_learning_curves(rows, metric, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_ticks_are_whole_epochs_and_limits_fit_the_data(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda picture, path: drawn.append(picture))
    rows = [
        {"epoch": n, "loss": 2.0, "wer": 0.5 + n / 100, "learning_rate": 1e-3} for n in (1, 2, 3)
    ]
    plot_learning_curves(rows, "wer", tmp_path / "curves.png")
    _, dev, rate = drawn[0].axes
    assert all(float(tick).is_integer() for tick in rate.get_xticks())
    assert 0.5 < dev.get_ylim()[0] < 0.51 < 0.53 < dev.get_ylim()[1] < 0.54
    assert dev.get_title(loc="right") == "best 0.51, epoch 1"


def test_tensorboard_reads_the_history(tmp_path):
    event_file_loader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_file_loader"
    )
    with runs.event_log(tmp_path, {"optimizer.learning_rate": 0.1}) as write:
        for row in HISTORY:
            write(row)
    path, _settings = sorted((tmp_path / "tensorboard").iterdir(), key=lambda path: len(path.name))
    found = {
        (event.step, value.tag): value.tensor.float_val[0]
        for event in event_file_loader.EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }
    assert found[2, "wer"] == 0.5
    assert found[1, "loss"] == 2.5
    assert len(found) == 8


@pytest.mark.parametrize("text", ["epoch,loss\n1,much\n", "epoch,loss\n1\n", None])
def test_corrupt_history(tmp_path, text):
    if text:
        (tmp_path / runs.CSV_FILE).write_text(text)
    with pytest.raises(ZooError, match="missing or corrupt"):
        runs.read_history(tmp_path)


def test_a_model_that_does_not_belong_to_the_state(tmp_path):
    """The process was killed after it wrote the model and before it wrote the state."""
    model = tmp_path / "model.keras"
    runs.check_model(tmp_path, model)  # a run without a state has a single pass
    model.write_bytes(b"of epoch 1")
    runs.save_state(tmp_path, variables(), HISTORY)  # without a digest, as in old runs
    runs.check_model(tmp_path, model)
    runs.save_state(tmp_path, variables(), HISTORY, model)
    runs.check_model(tmp_path, model)
    assert load_state(tmp_path, variables(1)) == runs.read_history(tmp_path) == HISTORY
    model.write_bytes(b"of epoch 2")
    words = r"model\.keras is not the model of the last state .* --resume"
    with pytest.raises(ZooError, match=words):
        runs.check_model(tmp_path, model)


def test_json(tmp_path):
    runs.write_json(tmp_path / "a.json", {"ö": [1, None, 0.1]})
    assert runs.read_json(tmp_path / "a.json") == {"ö": [1, None, 0.1]}
    for text in ("", "{", "[" * 100_000, "9" * 5000):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(ZooError, match=r"a\.json is corrupt: invalid JSON"):
            runs.read_json(tmp_path / "a.json")


def test_provenance():
    origin = provenance()
    assert origin["versions"]["tensorflow"] == tf.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", origin["date"])
    assert origin["commit"] is None or re.fullmatch(r"[0-9a-f]{12}(\+changes)?", origin["commit"])
    json.dumps(origin)


def test_check_folder(tmp_path):
    empty, none, full = tmp_path / "empty", tmp_path / "none", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    for folder in (empty, none):
        runs.check_folder(folder, resume=False)
        with pytest.raises(ZooError, match=r"^Nothing to resume"):
            runs.check_folder(folder, resume=True)
    for taken in (full, full / "mine.txt"):
        with pytest.raises(ZooError, match="already exists"):
            runs.check_folder(taken, resume=False)
    (full / runs.RUN_FILE).write_text("{}")
    runs.check_folder(full, resume=True)


@pytest.mark.parametrize("error", [ZooError, RuntimeError])
def test_a_failed_run_without_a_state_is_removed(tmp_path, error):
    def fail():
        with runs.started(folder, {"recipe": {}}):
            record = runs.read_json(folder / "run.json")
            assert set(record) == {"recipe", "versions", "processors", "commit", "date"}
            raise error

    folder = tmp_path / "runs" / "a"
    with pytest.raises(error):
        fail()
    assert not folder.exists()


def test_a_run_that_can_be_resumed_is_kept(tmp_path):
    def fail(folder, error, epochs):
        with runs.started(folder, {}):
            if epochs:
                runs.save_state(folder, variables(), HISTORY)
            raise error

    for name, error, epochs in (("killed", KeyboardInterrupt, 0), ("failed", RuntimeError, 2)):
        with pytest.raises(error):
            fail(tmp_path / name, error, epochs)
        assert (tmp_path / name / runs.RUN_FILE).exists()
        assert runs.has_epochs(tmp_path / name) == bool(epochs)


def test_the_record_of_a_resumed_run_is_kept(tmp_path):
    for number in (1, 2):
        with runs.started(tmp_path, {"number": number}):
            pass
    assert runs.read_json(tmp_path / runs.RUN_FILE)["number"] == 1
