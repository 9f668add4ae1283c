"""The bidirectional classifier: harness, padding, answers."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.harness import check_model, plain
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.fsdd import FSDD

DIGITS = Path(__file__).parents[2] / "data/fsdd"


def recipe(**overrides):
    settings = {"layers": 2, "hidden_size": 6} | overrides
    found = entry("speech/bilstm-fsdd").recipe()
    return plain(found.override({f"model.{k}": v for k, v in settings.items()}))


@pytest.fixture(scope="module")
def tiny():
    return recipe()


@pytest.fixture(scope="module", params=["ends", "mean_maximum"])
def model(request):
    keras.utils.set_random_seed(1)
    return recipe(pooling=request.param).model.build()


def test_harness(tiny, tmp_path, formats):
    check_model(tiny, FSDD.read(DIGITS, "train"), tmp_path / "tiny", formats)


@pytest.mark.slow
def test_padding_has_no_effect(tiny, model):
    """A clip has the same logits alone and in a batch, for any values of the padding."""
    items = [tiny.data.read_example(e, tiny.model) for e in FSDD.read(DIGITS, "all")[:3]]
    lengths = np.array([len(item["waveform"]) for item in items], np.int32)
    noise = np.random.default_rng(0).normal(0, 0.3, (3, lengths.max() + 3000)).astype(np.float32)
    for row, item in zip(noise, items, strict=True):
        row[: len(item["waveform"])] = item["waveform"]
    together = model({"waveform": noise, "lengths": lengths})["logits"]
    for i, item in enumerate(items):
        alone = model(tiny.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(together[i], alone, atol=1e-4)


def test_both_ends_have_an_effect(tiny, model):
    """A change in the first or in the last frames changes the logits."""
    item = tiny.data.read_example(FSDD.read(DIGITS, "all")[0], tiny.model)
    features = tiny.model.front_end(model)(tiny.data.collate([item]))["features"].numpy()
    network = tiny.model.training_model(model)
    frames = np.array([features.shape[1]], np.int32)
    logits = network({"features": features, "frames": frames})["logits"]
    for part in (slice(0, 3), slice(-3, None)):
        changed = features.copy()
        changed[:, part] += 2
        other = network({"features": changed, "frames": frames})["logits"]
        assert np.abs(np.array(other - logits)).max() > 1e-3


def test_answers(tiny, model):
    """evaluate and predict agree; the shortest recording is one window, 25 ms."""
    graphs = Graphs("keras", tiny.model.functions(model))
    examples = FSDD.read(DIGITS, "test")
    predictor = tiny.predictor(graphs)
    evaluation = tiny.task.evaluate(predictor, examples)
    assert list(evaluation.metrics) == ["accuracy", "f1_macro"]
    answers = tiny.task.predict(predictor, [str(e.audio) for e in examples])
    for row, answer in zip(evaluation.rows, answers, strict=True):
        assert answer["output"] == row["output"]
        assert answer["output"] in "0123456789"
        assert answer["probability"] == pytest.approx(row["probability"], abs=1e-5)
    shortest = tiny.data.collate([{"waveform": np.ones(200, np.float32)}])
    assert graphs["model"](**shortest)["logits"].shape == (1, 10)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"layers": 0}, "layers"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"num_classes": 1}, "num_classes"),
        ({"dropout": 1.0}, "dropout"),
        ({"pooling": "last"}, "pooling"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=f"model.{name}"):
        recipe(**overrides)
