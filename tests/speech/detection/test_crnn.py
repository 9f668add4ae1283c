"""The convolutional recurrent network: harness, padding, answers, training."""

import keras
import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.spectrogram import Spectrogram


def recipe(**overrides):
    found = entry("speech/crnn-right-whale").recipe()
    return found.override({f"model.{k}": v for k, v in overrides.items()})


@pytest.fixture(scope="module")
def tiny():
    return recipe(channels="4,5,6", hidden_size=6)


@pytest.fixture(scope="module")
def model(tiny):
    keras.utils.set_random_seed(1)
    return tiny.model.build()


@pytest.fixture(scope="module")
def examples():
    generator = np.random.default_rng(0)
    clips = generator.integers(0, 64, (6, 101, 50)).astype(np.uint8)
    return [
        Spectrogram(f"c{i}", ("none", "upcall")[i % 2], "train", clip[: 60 + 7 * i])
        for i, clip in enumerate(clips)
    ]


def test_harness(tiny, examples, tmp_path, formats):
    check_model(tiny.override({"training.batch_size": 4}), examples, tmp_path / "tiny", formats)


def test_padding_has_no_effect(tiny, model, examples):
    """A clip has the same logits alone and in a batch, for any values of the padding."""
    items = [tiny.data.read_example(example, tiny.model) for example in examples]
    batch = tiny.data.collate(items)
    noise = np.random.default_rng(1).uniform(0, 63, (6, 130, 50)).astype(np.float32)
    for row, item in zip(noise, items, strict=True):
        row[: len(item["spectrogram"])] = item["spectrogram"]
    together = model({"spectrogram": noise, "lengths": batch["lengths"]})["logits"]
    assert np.ptp(together, axis=0).min() > 1e-3
    for i, item in enumerate(items):
        alone = model(tiny.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(together[i], alone, atol=1e-5)


def test_minimum_number_of_frames(tiny, model):
    assert tiny.model.min_frames == 4
    shortest = tiny.data.collate([{"spectrogram": np.ones((4, 50), np.float32)}])
    assert np.isfinite(model(shortest)["logits"]).all()


def test_evaluate_and_predict_agree(tiny, model, examples, tmp_path):
    graphs = Graphs("keras", tiny.model.functions(model))
    predictor = tiny.predictor(graphs)
    evaluation = tiny.task.evaluate(predictor, examples)
    assert list(evaluation.metrics) == ["auc", "accuracy", "f1_macro"]
    paths = []
    for example in examples:
        paths.append(str(tmp_path / f"{example.id}.npy"))
        np.save(paths[-1], example.values.T)
    for row, answer in zip(evaluation.rows, tiny.task.predict(predictor, paths), strict=True):
        assert answer["output"] == row["output"]
        assert answer["probability"] == pytest.approx(row["probability"], abs=1e-5)
        assert answer["seconds"] > 1


def test_it_learns_the_order_of_frames(tiny):
    """Two clips with the same frames, in opposite order, get different labels."""
    from zoo.common.training.training_model import TrainingModel

    rise = np.full((40, 50), 20, np.uint8)
    for t in range(30):
        rise[5 + t, 5 + t] = rise[5 + t, 6 + t] = 60
    keras.utils.set_random_seed(0)
    model = tiny.model.build()
    clips = [Spectrogram("rise", "upcall", "", rise), Spectrogram("fall", "none", "", rise[::-1])]
    trained = TrainingModel(tiny.model.training_model(model), tiny.task)
    trained.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    x, y, _ = next(iter(tiny.data.batches(clips, tiny.model, model, Epoch(0, 32, 0))))
    losses = [float(trained.train_on_batch(x, y)) for _ in range(40)]
    assert losses[-1] < 0.1 < 0.4 < losses[0]


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"channels": "8,0"}, "channels"),
        ({"bands": 7}, "bands must be at least 8"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"num_classes": 1}, "num_classes"),
        ({"dropout": 1.0}, "dropout"),
        ({"top": 0.0}, "top"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=f"model.{name}"):
        recipe(**overrides)
