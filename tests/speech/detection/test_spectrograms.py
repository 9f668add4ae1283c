"""Spectrograms as data: corpus, front end, augmentation, invalid input."""

import numpy as np
import pytest
import soundfile

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.detection.corpora.right_whale import RIGHT_WHALE
from zoo.speech.detection.models.crnn import UPCALL_MEL
from zoo.speech.detection.spectrograms import Spectrograms
from zoo.speech.features.spec_augment import NO_MASKS, SpecAugment
from zoo.speech.features.spectrogram import mel_spectrogram

RATE = 2000


@pytest.fixture(scope="module")
def recipe():
    return entry("speech/crnn-right-whale").recipe()


@pytest.fixture
def corpus(tmp_path):
    """Return a folder in the layout of the corpus, with noise."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, size in (("train", 8), ("test", 4)):
        arrays[f"x_{split}"] = generator.integers(0, 64, (size, 50, 101), np.uint8)
        arrays[f"y_{split}"] = np.arange(size) % 2
        arrays[f"id_{split}"] = np.arange(size)
    np.savez(tmp_path / "spectrograms.npz", **arrays)
    return tmp_path


def tone(hz, seconds=2.0):
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_corpus(corpus):
    train = RIGHT_WHALE.read(corpus, "train")
    assert [e.label for e in train] == ["none", "upcall"] * 4
    assert len({e.id for e in train}) == 8
    assert {e.split for e in train} == {"train"}
    array = np.load(corpus / "spectrograms.npz")["x_train"]
    np.testing.assert_array_equal(train[3].values, array[3].T)
    assert len(RIGHT_WHALE.read(corpus, "all")) == 12


def test_corpus_errors(corpus, tmp_path):
    with pytest.raises(ZooError, match=r"There are: 'train', 'test', 'all'\. Received: 'dev'"):
        RIGHT_WHALE.read(corpus, "dev")
    with pytest.raises(ZooError, match="no such folder"):
        RIGHT_WHALE.read(tmp_path / "none", "train")
    path = corpus / "spectrograms.npz"
    x = np.zeros((2, 50, 101), np.uint8)
    for arrays, message in [
        ({"x_train": x}, "must have x_train and y_train"),
        ({"x_train": x, "y_train": np.zeros(3, int)}, r"Received: uint8 \[2, 50, 101\] and \[3\]"),
        ({"x_train": x / 2, "y_train": np.zeros(2, int)}, "Received: float64"),
        ({"x_train": x, "y_train": np.array([0, 2])}, r"0 or 1\. Received: 2"),
    ]:
        np.savez(path, **arrays)
        with pytest.raises(ZooError, match=message):
            RIGHT_WHALE.read(corpus, "train")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ZooError, match="is corrupt"):
        RIGHT_WHALE.read(corpus, "train")
    path.unlink()
    with pytest.raises(ZooError, match="is missing"):
        RIGHT_WHALE.read(corpus, "train")


def test_the_band_of_a_tone():
    """50 bands from 0 to 500 Hz, evenly spaced in mel; 101 frames of two seconds; values 0 to 63."""
    centres = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 500 / 700), 52)[1:-1] / 2595) - 1)
    for hz in (100.0, 200.0, 400.0):
        values = mel_spectrogram(tone(hz), UPCALL_MEL, top=63)
        assert values.shape == (101, 50)
        assert values.dtype == np.float32
        assert (values.min(), values.max()) == (0, 63)
        assert abs(centres[values[50].argmax()] - hz) < 8
    rising = np.concatenate([tone(hz, 0.4) for hz in (60, 90, 120, 150, 180)])
    bands = mel_spectrogram(rising, UPCALL_MEL, top=63)[10::20].argmax(axis=1)
    assert (np.diff(bands) > 0).all()


def test_loudness_has_no_effect():
    values = [mel_spectrogram(gain * tone(100), UPCALL_MEL, 63) for gain in (0.01, 1.0)]
    np.testing.assert_allclose(*values, atol=1e-3)


def test_inputs(recipe, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.repeat(tone(100), 8), 8 * RATE)
    values = recipe.data.read_input(str(tmp_path / "x.wav"), recipe.model)["spectrogram"]
    assert values.shape == (101, 50)
    assert recipe.data.input_metadata({"spectrogram": values}) == {"seconds": 2.0}
    np.save(tmp_path / "x.npy", values.T)
    again = recipe.data.read_input(str(tmp_path / "x.npy"), recipe.model)["spectrogram"]
    np.testing.assert_array_equal(again, values)
    soundfile.write(tmp_path / "silent.wav", np.zeros(2 * RATE), RATE)
    silent = recipe.data.read_input(str(tmp_path / "silent.wav"), recipe.model)["spectrogram"]
    np.testing.assert_array_equal(silent, np.zeros((101, 50)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((49, 101)), r"50 bands and at least 4 frames. Received: .* = \[49, 101\]"),
        (np.zeros((50, 3)), r"Received: \[bands, frames\] = \[50, 3\]"),
        (np.zeros(50), r"= \[50\]"),
        (np.full((50, 9), 64.0), "from 0 to 63. Received: 64 to 64"),
        (np.full((50, 9), np.nan), "Received: nan to nan"),
        (np.array(["a"]), "not a numeric array"),
        (np.zeros((50, 0)), "not a numeric array"),
    ],
)
def test_invalid_arrays(recipe, tmp_path, values, message):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ZooError, match=message):
        recipe.data.read_input(str(tmp_path / "x.npy"), recipe.model)


def test_invalid_files(recipe, tmp_path):
    (tmp_path / "text.npy").write_text("not a numeric array")
    np.save(tmp_path / "whole.npy", np.zeros((50, 20), np.float32))
    whole = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "head.npy").write_bytes(whole.replace(b"(50,", b"((50"))
    # Its header states an array of 80 GB.
    (tmp_path / "huge.npy").write_bytes(
        whole.replace(b"(50, 20), }         ", b"(1000000000, 20), } ")
    )
    for name, message in [
        ("text.npy", "not a numeric array"),
        ("head.npy", "not a numeric array"),
        ("huge.npy", "not a numeric array"),
        ("none.npy", "is missing"),
        ("none.wav", "none"),
    ]:
        with pytest.raises(ZooError, match=message):
            recipe.data.read_input(str(tmp_path / name), recipe.model)


def test_manifest(recipe, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((50, 20)))
    rows = f"a.npy,none,train\n{EXAMPLE_CLIPS[0]},upcall,test\n"
    path = tmp_path / "list.csv"
    path.write_text("filename,label,split\n" + rows)
    examples = recipe.data.read_manifest(path)
    assert [(e.label, e.split) for e in examples] == [("none", "train"), ("upcall", "test")]
    np.save(tmp_path / "a.npy", np.zeros((40, 20)))
    kept, left_out = recipe.data.filter_examples(examples, recipe.model)
    assert (kept, left_out) == (examples[1:], {"unreadable": 1})
    with pytest.raises(ZooError, match="all 1 are unreadable"):
        recipe.data.filter_examples(examples[:1], recipe.model)
    for row, message in [("b.npy,none,", "there is no file"), ("a.npy, ,", "label is empty")]:
        path.write_text(f"filename,label,split\n{row}\n")
        with pytest.raises(ZooError, match=f"line 2: .*{message}"):
            recipe.data.read_manifest(path)
    path.write_text("filename,label\na.npy,dolphin\n")
    with pytest.raises(ZooError, match=r"label of 'a\.npy': 'dolphin' is not among the 2 labels"):
        recipe.data.filter_examples(recipe.data.read_manifest(path), recipe.model)


def test_batches_depend_on_seed_and_epoch(recipe, corpus):
    examples = RIGHT_WHALE.read(corpus, "train")

    def epoch(number):
        return recipe.data.batches(examples, recipe.model, None, Epoch(number, 3, 0))

    assert epoch(0).steps == 3
    first, again, second = (list(epoch(number)) for number in (0, 0, 1))
    assert sorted(len(ids) for _, _, ids in first) == [2, 3, 3]
    by_id = {e.id: e for e in examples}
    for (x, y, ids), (same, _, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(x["spectrogram"], same["spectrogram"])
        assert y["label"].tolist() == [int(by_id[i].label == "upcall") for i in ids]
        assert x["lengths"].tolist() == [101] * len(ids)
    assert not np.array_equal(first[0][0]["spectrogram"], second[0][0]["spectrogram"])


def test_the_model_takes_sizes_from_the_data(recipe, corpus):
    own = recipe.from_scratch().override({"data.top": 70, "data.features.mel_bins": 40})
    adapted = own.adapt(RIGHT_WHALE.read(corpus, "train"))
    assert adapted.data.labels == recipe.data.labels
    model = adapted.model
    assert (model.bands, model.num_classes, model.top) == (40, 2, 70)


def test_augmentation():
    values = np.arange(20 * 8, dtype=np.float32).reshape(20, 8) % 61
    shares = np.eye(20, dtype=np.float32)
    generator = np.random.default_rng(0)
    labels = Labels(("a", "b"), "class")
    unchanged = Spectrograms(labels=labels)
    np.testing.assert_array_equal(unchanged.augment(values.copy(), shares, generator)[0], values)
    shifted = Spectrograms(labels=labels, time_shift=3, spec_augment=NO_MASKS)
    shifts = set()
    for _ in range(40):
        result, classes = shifted.augment(values.copy(), shares, generator)
        (shift,) = (t for t in range(-3, 4) if np.array_equal(result, np.roll(values, t, axis=0)))
        np.testing.assert_array_equal(classes, np.roll(shares, shift, axis=0))
        shifts.add(shift)
    assert shifts == set(range(-3, 4))
    masks = SpecAugment(freq_masks=1, freq_width=2, time_masks=1, time_width=5, time_share=0.2)
    masked = Spectrograms(labels=labels, spec_augment=masks)
    bands, frames = set(), set()
    for _ in range(60):
        result = masked.augment(values.copy(), shares, generator)[0] == values.mean()
        bands.add(int(result.all(axis=0).sum()))
        frames.add(int(result.all(axis=1).sum()))
    assert bands == {0, 1, 2}
    assert frames == {0, 1, 2, 3, 4}
