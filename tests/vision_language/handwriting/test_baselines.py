"""The baselines of pen strokes."""

import json

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from tests.vision_language.handwriting.letters import draw_word
from zoo.vision_language.handwriting.baselines import _mixture_outputs, resampled
from zoo.vision_language.handwriting.pen_mixture import point_nats

WORDS = ("lot", "till", "unit", "o")


def manifest(path, *keys):
    """Write words with two drawings in train and one in dev."""
    rows = [
        {"strokes": draw_word(word, seed), "split": split, **dict.fromkeys(keys, word)}
        for word in WORDS
        for seed, split in enumerate(("train", "train", "dev"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_nearest_word_is_the_answer(run_zoo, tmp_path):
    path = manifest(tmp_path / "words.jsonl", "word")
    recipe = "vision_language/blstm-ctc-gw-online"
    answer = run_zoo("baseline", recipe, "--manifest", path, "--json").json
    assert answer["baseline"].startswith("nearest word by")
    assert answer["metrics"]["cer"] == 0


def test_padding_has_no_effect():
    strokes = np.random.default_rng(0).normal(size=(1, 9, 8)).astype(np.float32)
    padded = np.pad(strokes, ((0, 0), (0, 4), (0, 0)), constant_values=9)
    lengths = np.array([9])
    np.testing.assert_array_equal(
        resampled({"strokes": strokes, "lengths": lengths}, 16),
        resampled({"strokes": padded, "lengths": lengths}, 16),
    )
    one_point = resampled({"strokes": strokes, "lengths": np.array([1])}, 16)
    assert np.isfinite(one_point).all()


def test_density_is_that_of_the_mixture():
    generator = np.random.default_rng(0)
    offsets = generator.normal(size=(400, 2)) @ [[1, 0.8], [0, 0.3]]
    up = generator.random(400) < 0.25
    end = up & (generator.random(400) < 0.5)
    targets = np.column_stack([offsets, up, end])
    outputs = _mixture_outputs(targets, 3, seed=0)
    offset, pen, last = point_nats(outputs, targets, 0.0, np)
    expected = GaussianMixture(3, random_state=0).fit(offsets).score_samples(offsets)
    np.testing.assert_allclose(offset, -expected, atol=1e-6)
    rate = up.mean()
    assert pen.mean() == pytest.approx(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate))
    assert last[~up].sum() == 0
    np.testing.assert_allclose(last[end], -np.log(end.sum() / up.sum()))


def test_drawings(run_zoo, tmp_path):
    path = manifest(tmp_path / "drawings.jsonl")
    recipe = "vision_language/mdn-lstm-omniglot"
    answer = run_zoo("baseline", recipe, "--manifest", path, "--json").json
    assert answer["baseline"].endswith("Gaussians for each pen state")
    low, high = answer["intervals"]["nats_per_point"]
    assert low < answer["metrics"]["nats_per_point"] < high


def test_drawings_of_one_stroke(run_zoo, tmp_path):
    path = tmp_path / "drawings.jsonl"
    rows = [{"strokes": draw_word("o", seed)} for seed in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = "vision_language/mdn-lstm-omniglot"
    answer = run_zoo("baseline", recipe, "--manifest", path, "--json").json
    assert np.isfinite(answer["metrics"]["nats_per_point"])
