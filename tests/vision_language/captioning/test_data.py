"""Captioned images as a data kind: batches, what is left out, vocabulary, assets."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import END, PAD, SENTENCE_SPECIALS, START, UNKNOWN
from zoo.vision_language.captioning.data import CaptionedImages, caption_hash
from zoo.vision_language.captioning.features import cached_features
from zoo.vision_language.captioning.images import read_image


def test_batches_hold_each_caption_once(tiny, examples):
    data, vocabulary = tiny.data, tiny.data.vocabulary
    table, table_rows, _ = cached_features(examples)
    row_of = {example.id: table_rows[i] for i, example in enumerate(examples)}
    rows = []
    for x, y, ids in data.batches(None, tiny, examples, epoch=0):
        assert len(ids) <= tiny.training.batch_size
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
    assert data.steps_per_epoch(tiny, examples) == -(-len(rows) // tiny.training.batch_size)


def test_an_epoch_has_its_own_order_and_always_the_same(tiny, examples):
    def ids(epoch):
        batches = tiny.data.batches(None, tiny, examples, epoch)
        return [id_ for _ in range(2) for _, _, ids in batches for id_ in ids]

    assert ids(0) == ids(0) != ids(1)
    assert ids(0)[: len(ids(0)) // 2] * 2 == ids(0)  # the same each time they are iterated over


def test_what_cannot_be_learnt_from_is_left_out(tiny, examples, tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    bad = replace(examples[0], image=text)
    long = replace(examples[1], captions=("a " * 9,))
    kept, left_out = tiny.data.filter_examples([bad, long, examples[2]], tiny)
    assert kept == [examples[2]]
    assert left_out == {"unreadable": 1, "without a caption of at most 8 words": 1}
    assert "text.jpg: not an image" in capsys.readouterr().err
    with pytest.raises(ZooError, match="No image can be learnt from: 1 unreadable of 1"):
        tiny.data.filter_examples([bad], tiny)


def test_adapt_takes_the_words_seen_often(tiny, examples):
    data, model = CaptionedImages(min_count=3).adapt(examples, tiny.model)
    assert data.vocabulary.tokens[:4] == (PAD, UNKNOWN, START, END) == SENTENCE_SPECIALS
    assert model.vocabulary_size == len(data.vocabulary)
    assert "road" in data.vocabulary
    assert "river" in data.vocabulary
    assert "2" in data.vocabulary
    assert "none" not in data.vocabulary
    hashed = caption_hash(["a", "road", "crosses", "green", "fields"])
    assert hashed in data.train_caption_hashes
    assert data.adapt([], model) == (data, model)


def test_an_image_is_read_as_the_model_takes_it(tiny, examples):
    item = tiny.data.read_input(str(examples[0].image), tiny)
    assert item["image"].dtype == np.float32
    np.testing.assert_array_equal(item["image"], read_image(examples[0].image))
    again = tiny.data.read_example(examples[0], tiny)
    np.testing.assert_array_equal(again["image"], item["image"])
    assert tiny.data.collate([item, again])["image"].shape == (2, 192, 192, 3)


def test_assets_come_back(tiny, tmp_path):
    for name, text in tiny.data.assets().items():
        (tmp_path / name).write_text(text)
    blank = tiny.from_scratch().data
    assert blank.vocabulary.tokens == blank.train_caption_hashes == ()
    assert blank.with_assets(tmp_path) == tiny.data
    for name, text, reason in (
        ("vocabulary.txt", "a\t3\n", "its first tokens must be <pad>, <unk>, <start>, <end>"),
        ("train_caption_hashes.txt", "captions\n", "hashes of 12 letters"),
    ):
        good = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text)
        with pytest.raises(ZooError, match=f"{name} is corrupt: .*{reason}"):
            blank.with_assets(tmp_path)
        (tmp_path / name).write_text(good)


@pytest.mark.parametrize("name", ["min_count", "max_length"])
def test_settings_that_make_no_sense(name):
    with pytest.raises(ZooError, match=rf"data\.{name} must be at least 1. Received: 0"):
        CaptionedImages(**{name: 0})
