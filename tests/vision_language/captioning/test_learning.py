"""Tests of captioners from the command line: training, cached features, predictions and plots."""

import json

import pytest
from PIL import Image

from tests.conftest import settings
from tests.vision_language.conftest import RECIPE
from zoo.vision_language.captioning import features

TINY = settings(
    "model.hidden_size=32",
    "model.embedding_size=32",
    "model.dropout=0",
    "data.min_count=1",
    "data.max_length=8",
    "task.label_smoothing=0",
    "optimizer.learning_rate=0.01",
    "training.batch_size=8",
    "training.epochs=6",
)


@pytest.mark.slow
def test_captioner_overfits_a_few_images(run_zoo, rsicd, tmp_path, monkeypatch):
    run = tmp_path / "run"
    arguments = ("train", RECIPE, "--data", rsicd, *TINY, "--overfit", "4", "--out")
    answer = run_zoo(*arguments, run, "--json")
    assert answer.status == 0, answer.err
    assert answer.json["best"]["bleu4"] > 0.98

    def computed(*arguments):
        raise AssertionError("the features must be read from the cache")

    with monkeypatch.context() as patch:
        patch.setattr(features, "_compute", computed)
        assert run_zoo(*arguments, tmp_path / "again").status == 0

    image = rsicd / "images" / "kind0_0.webp"
    bad = tmp_path / "text.jpg"
    bad.write_text("not an image")
    answer = run_zoo("predict", run, image, bad, "--json")
    good_answer, bad_answer = answer.json["predictions"]
    assert answer.status == 1
    assert "error" in bad_answer
    assert good_answer["output"] in {
        "a road crosses green fields",
        "many fields are beside a road",
        "picture 0 of kind 0",
    }

    plots = tmp_path / "plots"
    answer = run_zoo("evaluate", run, "--data", rsicd, "--split", "test", "--plots", plots)
    assert answer.status == 0, answer.err
    assert min(Image.open(plots / "captions.png").size) > 300


def test_invalid_line_of_a_manifest_is_reported(refused, rsicd):
    path = rsicd / "bad.jsonl"
    path.write_text(json.dumps({"image": "none.webp", "caption": "a"}))
    error = refused("train", RECIPE, "--manifest", path, "--out", rsicd / "run")
    assert "bad.jsonl, line 1: the image '" in error
    assert "none.webp' does not exist" in error
