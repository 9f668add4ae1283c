"""Tests of pen strokes as a data kind: manifests, splits, filters, batches, inputs, assets."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.vision_language.handwriting.letters import draw_word, handwritten, write_manifest
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.common.data.splits import split_by_group
from zoo.vision_language.handwriting.data import PenStrokes
from zoo.vision_language.handwriting.stroke_features import FEATURES, preprocess, stroke_features

WORDS = ["lot", "till", "unit", "into", "volt", "tin", "lion", "toot"]


@pytest.fixture
def recipe():
    return entry("vision_language/blstm-ctc-gw-online").recipe()


@pytest.fixture
def examples():
    return [handwritten(word, seed, page=f"page{seed % 4}") for seed, word in enumerate(WORDS)]


def test_manifest(tmp_path):
    path = write_manifest(tmp_path / "words.jsonl", WORDS)
    words = PenStrokes().read_manifest(path)
    assert [word.transcript for word in words] == WORDS
    assert [word.id for word in words[:2]] == ["word 1", "word 2"]
    assert {word.split for word in words} == {""}
    np.testing.assert_array_equal(words[3].points, handwritten("into", 3).points)

    rows = [
        {"id": "a", "word": "to", "points": [[0, 0, 0], [1, 2, 1]], "page": "p", "split": "test"},
        {"word": "no", "points": [[0, 0, 0]]},
    ]
    path.write_text(json.dumps(rows[0]))
    (word,) = PenStrokes().read_manifest(path)
    assert (word.id, word.page, word.split) == ("a", "p", "test")
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(ZooError, match=r"words.jsonl, line 2: ink must have at least 2 points"):
        PenStrokes().read_manifest(path)
    path.write_text(json.dumps({"points": [[0, 0, 0], [1, 2, 1]]}))
    with pytest.raises(ZooError, match="line 1: no text under the key 'word'"):
        PenStrokes().read_manifest(path)


def test_dev_has_whole_pages(recipe, examples):
    train, dev = split_by_group(examples, recipe.data.group_of, 0.25, seed=0)
    assert len(dev) == 2
    assert len({word.page for word in dev}) == 1
    assert {word.page for word in dev} & {word.page for word in train} == set()


def test_the_checksum_depends_on_words_and_points(examples):
    data = PenStrokes()
    assert data.checksum(examples) == data.checksum(examples[::-1])
    assert data.checksum(examples) != data.checksum([handwritten("lot", 9), *examples[1:]])


def test_empty_labels_are_taken_from_the_words(recipe, examples):
    assert recipe.adapt(examples).data.labels == recipe.data.labels
    assert recipe.model.vocabulary_size == recipe.data.labels.size == 37
    adapted = recipe.from_scratch().adapt(examples)
    assert "".join(adapted.data.labels.symbols) == "ilnotuv"
    assert adapted.model.vocabulary_size == 8


def test_unusable_words_are_left_out(recipe, examples):
    short = handwritten("l")
    long_word = type(short)("long", "oo" * 20, short.points)
    zigzag = np.array([[x, 100 * (x % 2), 0] for x in range(3000)], float)
    zigzag = type(short)("zigzag", "v", zigzag)
    kept, left_out = recipe.data.filter_examples([*examples, long_word, zigzag], recipe.model)
    assert kept == examples
    assert left_out == {"too short for its word": 1, "too long for a word": 1}
    with pytest.raises(ZooError, match="No word is usable: 1 too short for its word of 1"):
        recipe.data.filter_examples([long_word], recipe.model)
    with pytest.raises(ZooError, match=r"The word 'x': 'é' is not among the 36 labels"):
        recipe.data.filter_examples([type(short)("x", "clé", short.points)], recipe.model)


def test_batches_depend_on_seed_and_epoch(recipe, examples):
    batches = recipe.data.batches(examples, recipe.model, None, Epoch(2, 3, seed=0))
    first, again = list(batches), list(batches)
    assert len(first) == batches.steps == 3
    other = list(recipe.data.batches(examples, recipe.model, None, Epoch(3, 3, seed=0)))
    ids = []
    for (x, y, words), (x2, y2, words2) in zip(first, again, strict=True):
        np.testing.assert_array_equal(x["strokes"], x2["strokes"])
        np.testing.assert_array_equal(y["labels"], y2["labels"])
        assert words.tolist() == words2.tolist()
        assert x["strokes"].shape[1] % 32 == 0
        assert x["strokes"].shape[1] - x["lengths"].max() < 32
        for row, n, word in zip(y["labels"], y["label_lengths"], words, strict=True):
            assert recipe.data.labels.text(row[:n]) == word.split("-")[0]
            assert not row[n:].any()
        for row, n in zip(x["strokes"], x["lengths"], strict=True):
            assert not row[n:].any()
        ids += words.tolist()
    assert sorted(ids) == sorted(example.id for example in examples)
    assert sorted(x["lengths"].tolist() for x, _, _ in first) != sorted(
        x["lengths"].tolist() for x, _, _ in other
    )


def test_without_distortion_training_and_evaluation_have_equal_inputs(recipe, examples):
    names = ("rotation", "shear", "stretch", "size", "jitter", "drop")
    recipe = recipe.override({f"data.distortion.{name}": 0 for name in names})
    batches = recipe.data.batches(examples, recipe.model, None, Epoch(0, 3, seed=0))
    x, _, (word, *_) = next(iter(batches))
    example = next(e for e in examples if e.id == word)
    evaluated = recipe.data.read_example(example, recipe.model)["strokes"]
    trained = x["strokes"][0, : x["lengths"][0]]
    np.testing.assert_allclose(trained, evaluated, atol=1e-5)


def test_an_input_is_read_like_an_example(recipe, tmp_path):
    path = tmp_path / "word.json"
    path.write_text(json.dumps({"strokes": draw_word("lot")}))
    item = recipe.data.read_input(str(path), recipe.model)
    example = recipe.data.read_example(handwritten("lot"), recipe.model)
    np.testing.assert_array_equal(item["strokes"], example["strokes"])
    array = recipe.data.read_input(handwritten("lot").points, recipe.model)
    np.testing.assert_array_equal(item["strokes"], array["strokes"])
    np.testing.assert_array_equal(
        item["strokes"], stroke_features(preprocess(handwritten("lot").points, 0.3))
    )
    batch = recipe.data.collate([item, recipe.data.read_example(handwritten("till"), recipe.model)])
    assert batch["strokes"].shape == (2, batch["lengths"].max(), len(FEATURES))

    path.write_text(json.dumps({"strokes": [[[x, 100 * (x % 2)] for x in range(3000)]]}))
    with pytest.raises(ZooError, match=r"word.json: a word must have at most 5,000"):
        recipe.data.read_input(str(path), recipe.model)


def test_labels_of_a_file_are_characters():
    labels = Labels(("a", "é", "ß"))
    data = PenStrokes(labels=Labels.from_text(labels.to_text(), Path("alphabet.txt")))
    assert data == PenStrokes(labels=labels)
    with pytest.raises(ZooError, match=r"Each label must be one character. Received: 'ab'"):
        PenStrokes(labels=Labels(("ab", "c"), "word"))
