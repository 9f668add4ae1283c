"""The time-delay network: harness, equations, padding, answers."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.fsdd import FSDD

DIGITS = Path(__file__).parents[2] / "data/fsdd"


def recipe(name="speech/tdnn-fsdd", **overrides):
    return entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})


@pytest.fixture(scope="module")
def published():
    return recipe()


@pytest.fixture(scope="module")
def model(published):
    keras.utils.set_random_seed(1)
    return published.model.build()


@pytest.fixture(scope="module")
def items(published):
    examples = FSDD.read(DIGITS, "all")
    return [published.data.read_example(example, published.model) for example in examples]


@pytest.mark.slow
def test_harness(tmp_path):
    wide = recipe("speech/tdnn-wide-fsdd", channels="4,6", kernel_sizes="5,3,3", dropout=0.2)
    check_model(wide, FSDD.read(DIGITS, "train"), tmp_path / "tiny")


def test_the_published_size(model):
    """8 units over 3 frames of 16 filters, then 10 units over 5 frames, each with a bias."""
    shapes = [tuple(weight.shape) for weight in model.trainable_weights]
    assert shapes == [(3, 16, 8), (8,), (5, 8, 10), (10,)]


def test_equations(published, model, items):
    """Against NumPy, unit by unit: weighted frames, sigmoids, sums of squares over time."""
    inputs = published.data.collate(items[:1])
    features = published.model.front_end(model)(inputs)["features"][0].numpy()
    w1, b1, w2, b2 = (np.array(weight) for weight in model.trainable_weights)

    def layer(x, weights, bias):
        margin = len(weights) // 2
        padded = np.pad(x, ((margin, margin), (0, 0)))
        sums = [
            np.einsum("kc,kcu->u", padded[t : t + len(weights)], weights) for t in range(len(x))
        ]
        return 1 / (1 + np.exp(-(np.stack(sums) + bias)))

    evidence = layer(layer(features, w1, b1), w2, b2) ** 2
    assert evidence.shape == (published.model.frames(len(items[0]["waveform"])), 10)
    logits = model(inputs)["logits"][0]
    np.testing.assert_allclose(logits, evidence.sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize("name", ["speech/tdnn-fsdd", "speech/tdnn-wide-fsdd"])
def test_padding_has_no_effect(name, items):
    """A clip has the same logits alone and in a batch, for any values of the padding."""
    one = recipe(name)
    keras.utils.set_random_seed(1)
    model = one.model.build()
    lengths = np.array([len(item["waveform"]) for item in items[:3]], np.int32)
    noise = np.random.default_rng(0).normal(0, 0.3, (3, lengths.max() + 3000)).astype(np.float32)
    for row, item in zip(noise, items, strict=False):
        row[: len(item["waveform"])] = item["waveform"]
    together = model({"waveform": noise, "lengths": lengths})["logits"]
    for i, item in enumerate(items[:3]):
        alone = model(one.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(together[i], alone, atol=1e-4)


def test_answers(published, model):
    """evaluate and predict agree; the shortest recording is one window, 25 ms."""
    graphs = Graphs("keras", published.model.functions(model))
    examples = FSDD.read(DIGITS, "test")
    predictor = published.predictor(graphs)
    evaluation = published.task.evaluate(predictor, examples)
    assert set(evaluation.metrics) == {"accuracy", "f1_macro"}
    answers = published.task.predict(predictor, [str(e.audio) for e in examples])
    for row, answer in zip(evaluation.rows, answers, strict=True):
        assert answer["output"] == row["output"]
        assert answer["output"] in "0123456789"
        assert answer["probability"] == pytest.approx(row["probability"], abs=1e-5)
    shortest = published.data.collate([{"waveform": np.ones(200, np.float32)}])
    assert graphs["model"](**shortest)["logits"].shape == (1, 10)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"channels": "8,0"}, "channels"),
        ({"kernel_sizes": "3"}, "kernel_sizes must have one number for each"),
        ({"activation": "swish"}, "activation must be one of 'sigmoid'"),
        ({"num_classes": 1}, "num_classes"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=f"model.{name}"):
        recipe(**overrides)
