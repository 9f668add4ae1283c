"""`zoo.train` and `zoo.evaluate`: results, callbacks and errors."""

import keras
import pytest

import zoo
from tests.conftest import AR

HELLO = "language/charlstm-hello"


class Epochs(keras.callbacks.Callback):
    """Record the epochs of a training."""

    def __init__(self):
        super().__init__()
        self.numbers, self.batches = [], 0

    def on_epoch_end(self, epoch, logs=None):
        self.numbers.append((epoch, sorted(logs)))

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the result of a training of two epochs, and its callback."""
    callback = Epochs()
    result = zoo.train(
        HELLO,
        out=tmp_path_factory.mktemp("api") / "run",
        overrides={"training.epochs": 2, "model.hidden_size": 8},
        callbacks=[callback],
    )
    return result, callback


def test_train_returns_the_history(trained):
    result, _ = trained
    assert (result.recipe, len(result.history)) == (HELLO, 2)
    assert result.best in result.history
    assert result.to_dict() == {
        "run": str(result.run),
        "recipe": HELLO,
        "epochs": 2,
        "best": result.best,
    }
    assert repr(result).splitlines()[0] == f"{HELLO}, 2 epochs"
    assert "data:image/png;base64" in result._repr_html_()  # the curves


def test_callbacks_are_called(trained):
    _, callback = trained
    assert [epoch for epoch, _ in callback.numbers] == [0, 1]
    assert all("loss" in logs for _, logs in callback.numbers)
    assert callback.batches > 0


def test_evaluate_accepts_a_folder_or_a_preset(trained):
    run = trained[0].run
    by_folder, by_preset = zoo.evaluate(run), zoo.evaluate(zoo.load(run))
    assert by_folder.metrics == by_preset.metrics
    assert (by_folder.preset, by_folder.corpus, by_folder.split) == (str(run), "hello", "test")
    assert by_folder.examples == len(by_folder.rows[0]["text"]) if by_folder.rows else True
    assert len(repr(by_folder).splitlines()) == 3
    assert set(by_folder.to_dict()) == {
        "preset",
        "corpus",
        "split",
        "examples",
        "seconds",
        "metrics",
    }


def test_refusals_come_before_the_model_is_opened(ar_run, monkeypatch):
    monkeypatch.setattr("zoo.common.runtime.keras_model.KerasModel.load", None)
    with pytest.raises(zoo.ZooError, match="language/charlstm-hello does not support evaluation p"):
        zoo.evaluate(HELLO, plots="plots")
    with pytest.raises(zoo.ZooError, match="does not support scoring"):
        zoo.score(str(ar_run), "text")
    with pytest.raises(zoo.ZooError, match="language/bilstm-sst2 does not support plots of inputs"):
        zoo.plot("language/bilstm-sst2", "text")
    with pytest.raises(zoo.ZooError, match="must end in"):
        zoo.plot("speech/bilstm-ctc-an4", "a.wav", "a.jpg")


def test_the_linear_model_has_no_callbacks(laser_corpus, tmp_path):
    result = zoo.train(AR, data=laser_corpus, out=tmp_path / "run", overrides={"model.context": 8})
    assert len(result.history) == 1
