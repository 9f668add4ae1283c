"""Tests of captioned images as a data kind: batches, filter, vocabulary, assets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import END, PAD, SENTENCE_SPECIALS, START, UNKNOWN
from zoo.common.presets import store
from zoo.vision_language.captioning.caption_hashes import CaptionHashes, caption_hash
from zoo.vision_language.captioning.data import CaptionedImages
from zoo.vision_language.captioning.features import cached_features
from zoo.vision_language.captioning.images import read_image


def test_batches_have_each_caption_once(tiny, examples):
    data, vocabulary = tiny.data, tiny.data.vocabulary
    table, table_rows, _ = cached_features(examples)
    row_of = {example.id: table_rows[i] for i, example in enumerate(examples)}
    rows = []
    batches = data.batches(examples, tiny.model, None, Epoch(0, 4, 0))
    for x, y, ids in batches:
        assert len(ids) <= 4
        for i, id_ in enumerate(ids):
            length = y["lengths"][i]
            words = vocabulary.decode(y["targets"][i])
            assert words[length - 1] == END
            assert set(words[length:]) <= {PAD}
            inputs = vocabulary.decode(x["tokens"][i])
            assert inputs[:length] == [START, *words[: length - 1]]
            assert set(inputs[length:]) <= {PAD}
            np.testing.assert_array_equal(x["features"][i], table[row_of[id_]])
            rows.append((id_, tuple(words[: length - 1])))
    expected = [
        (e.id, tuple(vocabulary.decode(tokens[1:-1])))
        for e in examples
        for tokens in data.encode(e)
    ]
    assert sorted(rows) == sorted(expected)
    assert batches.steps == -(-len(rows) // 4)


def test_order_depends_on_the_epoch_only(tiny, examples):
    def ids(number):
        batches = tiny.data.batches(examples, tiny.model, None, Epoch(number, 4, 0))
        return [id_ for _ in range(2) for _, _, ids in batches for id_ in ids]

    assert ids(0) == ids(0) != ids(1)
    assert ids(0)[: len(ids(0)) // 2] * 2 == ids(0)  # each iteration yields the same


def test_unusable_examples_are_left_out(tiny, examples, tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    bad = replace(examples[0], image=text)
    long = replace(examples[1], captions=("a " * 9,))
    kept, left_out = tiny.data.filter_examples([bad, long, examples[2]], tiny.model)
    assert kept == [examples[2]]
    assert left_out == {"unreadable": 1, "without a caption of at most 8 words": 1}
    assert "text.jpg: not a readable image" in capsys.readouterr().err
    with pytest.raises(ZooError, match="No image is usable: 1 unreadable of 1"):
        tiny.data.filter_examples([bad], tiny.model)


def test_adapt_takes_frequent_words_and_hashes(tiny, examples):
    data, model = CaptionedImages(min_count=3).adapt(examples, tiny.model)
    assert data.vocabulary.tokens[:4] == (PAD, UNKNOWN, START, END) == SENTENCE_SPECIALS
    assert model.vocabulary_size == len(data.vocabulary)
    assert "road" in data.vocabulary
    assert "river" in data.vocabulary
    assert "2" in data.vocabulary
    assert "none" not in data.vocabulary
    hashed = caption_hash(["a", "road", "crosses", "green", "fields"])
    assert hashed in data.train_caption_hashes.hashes
    assert data.adapt([], model) == (data, model)


def test_read_input_accepts_paths_images_and_arrays(tiny, examples):
    path = examples[0].image
    item = tiny.data.read_input(str(path), tiny.model)
    assert item["image"].dtype == np.float32
    np.testing.assert_array_equal(item["image"], read_image(path))
    with Image.open(path) as image:
        sources = [path, image, np.asarray(image.convert("RGB"))]
        items = [tiny.data.read_input(source, tiny.model) for source in sources]
    items.append(tiny.data.read_example(examples[0], tiny.model))
    for again in items:
        np.testing.assert_array_equal(again["image"], item["image"])
    assert tiny.data.collate([item, *items])["image"].shape == (5, 192, 192, 3)


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)],
)
def test_arrays_must_be_rgb_bytes(tiny, array):
    message = r"must be uint8 \[height, width, 3\]\. Received: (uint8|float64) \[4, 4"
    with pytest.raises(ZooError, match=message):
        tiny.data.read_input(array, tiny.model)


def test_assets_are_restored(tiny, tmp_path):
    store.save_recipe(tmp_path, tiny)
    blank = tiny.from_scratch().data
    assert not blank.vocabulary
    assert not blank.train_caption_hashes
    assert store.load_recipe(tmp_path) == tiny
    for name, text, reason in (
        ("vocabulary.txt", "a\t3\n", "vocabulary.txt must be '<pad>', '<unk>', '<start>', '<end>'"),
        ("train_caption_hashes.txt", "captions\n", "is corrupt: it must have hashes of 12 char"),
    ):
        path = tmp_path / name
        good = path.read_text()
        path.write_text(text)
        with pytest.raises(ZooError, match=reason):
            store.load_recipe(tmp_path)
        path.write_text(good)


def test_hashes_are_sorted_and_unique():
    hashes = CaptionHashes().add([["a", "road"], ["b"]]).add([["b"], ["c"]])
    assert len(hashes) == 3
    assert list(hashes.hashes) == sorted(caption_hash(c) for c in (["a", "road"], ["b"], ["c"]))
    assert CaptionHashes.from_text(hashes.to_text(), Path("file")) == hashes
    assert CaptionHashes.from_text("", Path("file")) == CaptionHashes()


@pytest.mark.parametrize("name", ["min_count", "max_length"])
def test_invalid_settings(name):
    with pytest.raises(ZooError, match=rf"data\.{name} must be at least 1. Received: 0"):
        CaptionedImages(**{name: 0})
