"""Tests of the model of handwritten words: frames, padding, training and a lexicon."""

import json

import keras
import numpy as np
import pytest

from tests.conftest import settings
from tests.harness import check_model
from tests.vision_language.handwriting.letters import draw_word, handwritten, write_manifest
from zoo.common.core.registry import entry

RECIPE = "vision_language/blstm-ctc-gw-online"
WORDS = ["lot", "till", "unit", "into"]
TINY = {"layers": 1, "hidden_size": 8, "conv_filters": 4}


def tiny(**overrides):
    overrides = {f"model.{key}": value for key, value in (TINY | overrides).items()}
    return entry(RECIPE).recipe().override(overrides)


@pytest.fixture
def batch():
    recipe = tiny()
    items = [recipe.data.read_example(handwritten(word), recipe.model) for word in WORDS]
    return recipe.data.collate(items)


def test_harness(tmp_path, formats):
    check_model(tiny(), [handwritten(word) for word in WORDS], tmp_path / "tiny", formats)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_number_of_frames_is_that_of_the_config(factor, batch):
    recipe = tiny(subsampling_factor=factor)
    outputs = recipe.model.build()(batch)
    expected = [recipe.model.frames(int(points)) for points in batch["lengths"]]
    assert np.array(outputs["logit_lengths"]).tolist() == expected
    assert outputs["logits"].shape == (len(WORDS), max(expected), 37)


def test_padding_has_no_effect(batch):
    """The logits of a word do not depend on the batch, for any values of the padding."""
    keras.utils.set_random_seed(1)
    model = tiny().model.build()
    strokes, lengths = batch["strokes"], batch["lengths"]
    noisy = np.random.default_rng(0).normal(size=strokes.shape).astype(np.float32)
    for row, word, n in zip(noisy, strokes, lengths, strict=True):
        row[:n] = word[:n]
    together = model({"strokes": noisy, "lengths": lengths})["logits"]
    i = int(lengths.argmin())
    alone = model({"strokes": strokes[i : i + 1, : lengths[i]], "lengths": lengths[i : i + 1]})
    np.testing.assert_allclose(
        together[i, : alone["logits"].shape[1]], alone["logits"][0], atol=2e-5
    )


@pytest.mark.slow
def test_training_from_the_command_line(run_zoo, tmp_path):
    """Train on a manifest, predict, export to ONNX and evaluate both backends."""
    words, run = write_manifest(tmp_path / "words.jsonl", 2 * WORDS), tmp_path / "run"
    small = settings(
        "model.layers=1", "model.hidden_size=32", "model.dropout=0", "optimizer.learning_rate=0.01",
        "training.epochs=16", "training.batch_size=4",
    )  # fmt: skip
    answer = run_zoo(
        "train", RECIPE, "--manifest", words, "--overfit", "8", "--out", run, *small, "--json"
    )
    assert answer.status == 0, answer.err
    assert answer.json["best"]["cer"] <= 0.02

    good, bad = tmp_path / "lot.json", tmp_path / "bad.json"
    good.write_text(json.dumps({"strokes": draw_word("lot", seed=0, size=3)}))
    bad.write_text(json.dumps({"points": [[1, 1, 1]]}))
    answer = run_zoo("predict", run, good, bad, "--beam-width", "8", "--json")
    good_answer, bad_answer = answer.json["predictions"]
    assert answer.status == 1
    assert good_answer["output"] == "lot"
    assert bad_answer["error"] == f"{bad}: ink must have at least 2 points. Received: 1."

    assert run_zoo("export", run, "--to", "onnx").status == 0
    evaluations = [
        run_zoo("evaluate", run, "--manifest", words, "--backend", backend, "--json").json
        for backend in ("keras", "onnx")
    ]
    assert [e["metrics"]["cer"] for e in evaluations] == [best_cer(run)] * 2


def test_a_lexicon_limits_answers_to_its_words(run_zoo, tmp_path):
    """The preset has many errors on drawn letters, and fewer with a lexicon of eight words."""
    pytest.importorskip("flashlight.lib.text")
    known = ["lot", "till", "unit", "into", "volt", "tin", "lion", "toot"]
    words, lexicon = write_manifest(tmp_path / "words.jsonl", known), tmp_path / "known.words"
    lexicon.write_text("".join(f"{word}\n" for word in known))
    rows = tmp_path / "rows.jsonl"
    alone = run_zoo("evaluate", RECIPE, "--manifest", words, "--json").json["metrics"]
    options = ("--lexicon", lexicon, "--beam-width", "50", "--rows", rows)
    found = run_zoo("evaluate", RECIPE, "--manifest", words, *options, "--json").json["metrics"]
    read = [json.loads(line)["output"] for line in rows.read_text().splitlines()]
    assert set(read) <= {*known, ""}
    wrong = sum(output != word for output, word in zip(read, known, strict=True))
    assert found["wer"] == wrong / len(known) < alone["wer"]


def best_cer(run) -> float:
    """Return the best CER in the records of a run."""
    header, *rows = (run / "metrics.csv").read_text().splitlines()
    column = header.split(",").index("cer")
    return min(float(row.split(",")[column]) for row in rows)
