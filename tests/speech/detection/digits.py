"""Checks of models that classify spoken digits."""

from pathlib import Path

import numpy as np
import pytest

from zoo.common.core.model import Graphs
from zoo.speech.detection.corpora.fsdd import FSDD

DIGITS = Path(__file__).parents[2] / "data/fsdd"


def read_items(recipe):
    """Return the model inputs of three recordings."""
    examples = FSDD.read(DIGITS, "all")[:3]
    return [recipe.data.read_example(example, recipe.model) for example in examples]


def check_padding(recipe, model, atol=1e-4):
    """Check that a clip has the same logits alone and in a batch, for any values of the padding."""
    items = read_items(recipe)
    lengths = np.array([len(item["waveform"]) for item in items], np.int32)
    noise = np.random.default_rng(0).normal(0, 0.3, (3, lengths.max() + 3000)).astype(np.float32)
    for row, item in zip(noise, items, strict=True):
        row[: len(item["waveform"])] = item["waveform"]
    together = model({"waveform": noise, "lengths": lengths})["logits"]
    for i, item in enumerate(items):
        alone = model(recipe.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(together[i], alone, atol=atol)


def check_answers(recipe, model):
    """Check that evaluate and predict agree, and that the shortest recording is one window, 25 ms."""
    graphs = Graphs("keras", recipe.model.functions(model))
    examples = FSDD.read(DIGITS, "test")
    predictor = recipe.predictor(graphs)
    evaluation = recipe.task.evaluate(predictor, examples)
    assert list(evaluation.metrics) == ["accuracy", "f1_macro"]
    answers = recipe.task.predict(predictor, [str(e.audio) for e in examples])
    for row, answer in zip(evaluation.rows, answers, strict=True):
        assert answer["output"] == row["output"]
        assert answer["output"] in "0123456789"
        assert answer["probability"] == pytest.approx(row["probability"], abs=1e-5)
    shortest = recipe.data.collate([{"waveform": np.ones(200, np.float32)}])
    assert graphs["model"](**shortest)["logits"].shape == (1, 10)
