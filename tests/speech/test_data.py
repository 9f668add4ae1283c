"""Recordings as data: filters, labels, batches, inputs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.speech import pipeline
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.detection.data import LabelledRecordings
from zoo.speech.features.spec_augment import NO_MASKS, SpecAugment
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.data import TranscribedRecordings
from zoo.speech.utterance import LabelledRecording

DIGITS = Path(__file__).parents[1] / "data/fsdd"


@pytest.fixture(scope="module")
def recipe():
    tiny = {"model.layers": 1, "model.hidden_size": 4, "model.conv_filters": 2}
    recipe = entry("speech/bilstm-ctc-an4").recipe().override(tiny)
    data = replace(recipe.data, spec_augment=NO_MASKS, speed_perturbation=(1.0,))
    return replace(recipe, data=data)


@pytest.fixture(scope="module")
def network(recipe):
    return recipe.model.build()


@pytest.fixture(scope="module")
def examples(an4):
    return AN4.read(an4, "all")


@pytest.fixture(scope="module")
def digits():
    """Return a recipe of recordings with labels, and examples."""
    return entry("speech/tdnn-fsdd").recipe(), FSDD.read(DIGITS, "train")


def batches_of(recipe, examples, network, number=0, batch_size=16):
    return recipe.data.batches(examples, recipe.model, network, Epoch(number, batch_size, 0))


@pytest.mark.parametrize("batch_size", [1, 5])
def test_number_of_batches(recipe, network, examples, batch_size):
    batches = batches_of(recipe, examples, network, batch_size=batch_size)
    found = list(batches)
    assert batches.steps == len(found)
    ids = sorted(str(id_) for _, _, batch in found for id_ in batch)
    assert ids == sorted(example.id for example in examples)


def test_batches_of_transcripts(recipe, network, examples):
    """Each example has its own features and labels, in each iteration."""
    batches = batches_of(recipe, examples, network)
    by_id = {example.id: example for example in examples}
    front_end = recipe.model.front_end(network)
    again = iter(batches)
    for x, y, ids in batches:
        same_x, same_y, same_ids = next(again)
        for old, new in ((x, same_x), (y, same_y)):
            assert all(np.array_equal(old[name], new[name]) for name in old)
        assert ids.tolist() == same_ids.tolist()
        assert x["features"].shape[1] % pipeline.PADDING_FRAMES == 0
        for row, id_ in enumerate(ids):
            example = by_id[id_]
            labels = y["labels"][row, : y["label_lengths"][row]].tolist()
            assert labels == recipe.data.encode(example)
            assert not y["labels"][row, y["label_lengths"][row] :].any()
            assert not x["features"][row, x["frames"][row] :].any()
    item = recipe.data.read_example(example, recipe.model)
    features = front_end(recipe.data.collate([item]))["features"][0]
    np.testing.assert_allclose(x["features"][row, : x["frames"][row]], features, atol=1e-4)


def test_batches_of_labels(digits):
    recipe, examples = digits
    batches = batches_of(recipe, examples, recipe.model.build())
    ((x, y, ids),) = batches
    assert y["label"].dtype == np.int32
    assert y["label"].tolist() == [int(id_[0]) for id_ in ids]
    longest = x["frames"].max()
    assert x["features"].shape == (6, longest + -longest % pipeline.PADDING_FRAMES, 16)
    assert batches.spec[1] == {"label": ((None,), "int32")}


def test_masks_depend_on_seed_epoch_and_example(recipe, network, examples):
    masked = replace(recipe, data=replace(recipe.data, spec_augment=SpecAugment()))

    def features(number, batch_size):
        return {
            id_: row[:frames]
            for x, _, ids in batches_of(masked, examples[:4], network, number, batch_size)
            for id_, row, frames in zip(ids, x["features"], x["frames"], strict=True)
        }

    first, alone, second = features(0, 4), features(0, 1), features(1, 4)
    for id_, row in first.items():
        np.testing.assert_array_equal(row == 0, alone[id_] == 0)
    assert any(not np.array_equal(first[id_] == 0, second[id_] == 0) for id_ in first)


def test_unreadable_recordings_are_left_out_of_an_epoch(recipe, network, examples, capsys):
    gone = replace(examples[0], audio=Path("missing.flac"))
    ((_, _, ids),) = batches_of(recipe, [gone, examples[1]], network)
    assert ids.tolist() == [examples[1].id]
    assert "Left out of epoch 1: missing.flac" in capsys.readouterr().err


def test_unusable_examples_are_counted(recipe, examples, tmp_path):
    broken = tmp_path / "broken.flac"
    broken.write_bytes(examples[0].audio.read_bytes()[:5000])
    bad = [
        replace(examples[0], audio=broken),
        replace(examples[1], transcript="A B C D E F G H I J K L M N O P Q R S T U V W X Y Z " * 2),
    ]
    data = replace(recipe.data, max_seconds=2.8)
    kept, left_out = data.filter_examples([*examples, *bad], recipe.model)
    assert left_out == {
        "longer than 2.8 s": sum(example.seconds > 2.8 for example in examples),
        "unreadable": 1,
        "too short for its transcript": 1,
    }
    assert kept == [example for example in examples if example.seconds <= 2.8]
    with pytest.raises(ZooError, match=r"1 unreadable, 1 too short for its transcript of 2 clips"):
        data.filter_examples(bad, recipe.model)


def test_a_clip_must_have_a_window(digits):
    """The front end defines the minimum duration of a recording."""
    recipe, examples = digits
    assert recipe.data.filter_examples(examples, recipe.model) == (examples, {})
    long_window = recipe.override({"model.features.window": 0.5})
    kept, left_out = long_window.data.filter_examples(examples, long_window.model)
    assert kept == [example for example in examples if example.seconds >= 0.5]
    assert 0 < len(kept) == len(examples) - left_out["unreadable"] < len(examples)
    with pytest.raises(ZooError, match="too short: at least 500 ms is needed"):
        long_window.data.read_input(str(examples[-1].audio), long_window.model)


def test_labels_of_characters(recipe, examples):
    example = replace(examples[0], transcript="A Z")
    assert recipe.data.encode(example) == [2, 1, 27]
    with pytest.raises(ZooError, match=rf"transcript of '{example.id}': '\?é' is not among the 27"):
        recipe.data.encode(replace(example, transcript="CAFé?"))


def test_labels_of_classes(digits):
    recipe, examples = digits
    with pytest.raises(ZooError, match=rf"label of '{examples[0].id}': 'ten' is not among the 10"):
        recipe.data.encode(replace(examples[0], label="ten"))


@pytest.mark.parametrize(
    ("target", "symbols", "size", "encoded"),
    [("characters", ("A", "B", "C"), 4, [1, 2]), ("words", ("AB", "C"), 3, [1])],
)
def test_labels_are_taken_from_transcripts(recipe, examples, target, symbols, size, encoded):
    named = [replace(examples[0], transcript="AB"), replace(examples[1], transcript="C")]
    data, model = TranscribedRecordings(target=target).adapt(named, recipe.model)
    assert data.labels.symbols == symbols
    assert model.vocabulary_size == size
    assert data.encode(named[0]) == encoded
    assert data.adapt(examples, model) == (data, model)


def test_classes_are_taken_from_labels(digits, tmp_path):
    named = [LabelledRecording(label, tmp_path, label=label) for label in ("yes", "a b")]
    data, model = LabelledRecordings().adapt(named, digits[0].model)
    assert data.labels == Labels(("a b", "yes"), "class")
    assert model.num_classes == 2
    assert data.encode(named[0]) == [1]


@pytest.mark.parametrize(
    ("data", "unit"),
    [
        (TranscribedRecordings(), "character"),
        (TranscribedRecordings(target="words"), "word"),
        (LabelledRecordings(), "class"),
    ],
)
def test_labels_in_a_file(tmp_path, data, unit):
    labels = Labels(("A", "B"), unit)
    path = tmp_path / "alphabet.txt"
    read = Labels.from_text(labels.to_text(), path)
    assert replace(data, labels=read) == replace(data, labels=labels)


def test_items(recipe, examples):
    items = [recipe.data.read_example(example, recipe.model) for example in examples[:3]]
    inputs = recipe.data.collate(items)
    assert inputs["lengths"].tolist() == [len(item["waveform"]) for item in items]
    assert inputs["waveform"].shape == (3, inputs["lengths"].max())
    assert recipe.data.input_metadata(items[0]) == {"seconds": examples[0].seconds}
    assert recipe.data.sort_key(examples[0]) == examples[0].seconds


def test_arrays_as_inputs(recipe):
    samples, rate = soundfile.read(EXAMPLE_CLIPS[0], dtype="int16")
    expected = recipe.data.read_input(str(EXAMPLE_CLIPS[0]), recipe.model)
    for waveform in (samples, samples / 32768, np.stack([samples, samples], axis=1)):
        item = recipe.data.read_input((waveform, rate), recipe.model)
        np.testing.assert_allclose(item["waveform"], expected["waveform"], atol=1e-6)
        assert item["seconds"] == expected["seconds"]


def test_wav_bytes_in_a_graph(recipe, digits):
    """Both raw inputs give the same waveforms, at the sample rate of each model."""
    for one, name in ((recipe, "transcribe_wav"), (digits[0], "classify_wav")):
        inputs = one.data.example_inputs(one.model, one.decoder)
        entries = one.data.raw_inputs(one.model, one.decoder)
        assert {"serving_default", name} == set(entries)
        assert {"model", *entries} <= set(inputs)
        for files, waveforms in zip(inputs[name], inputs["serving_default"], strict=True):
            read = entries[name].to_inputs(tf.constant(files["wav"]))
            assert read["lengths"].numpy().tolist() == waveforms["lengths"].tolist()
            np.testing.assert_allclose(read["waveform"], waveforms["waveform"], atol=4e-5)
    (file,) = inputs[name][0]["wav"]
    wrong_rate = recipe.data.raw_inputs(recipe.model, recipe.decoder)["transcribe_wav"].to_inputs
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have 16000 Hz"):
        wrong_rate(tf.constant([file]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed_perturbation": ()}, "data.speed_perturbation"),
        ({"speed_perturbation": (3.0,)}, "data.speed_perturbation must be at least 0.5"),
        ({"max_seconds": 0.0}, "data.max_seconds must be above 0"),
        ({"target": "phonemes"}, "data.target must be one of 'characters', 'words'"),
        ({"split_by": "take"}, "data.split_by must be one of 'speaker', 'utterance'"),
        ({"labels": Labels(("a",), "class")}, "Labels of the unit 'character' must begin with"),
    ],
)
def test_invalid_settings(settings, message):
    with pytest.raises(ZooError, match=message):
        TranscribedRecordings(**settings)


def test_invalid_settings_of_classes():
    with pytest.raises(ZooError, match=r"data\.target must be one of 'label'"):
        LabelledRecordings(target="words")
    with pytest.raises(ZooError, match="Labels of the unit 'class' must not begin with"):
        LabelledRecordings(labels=Labels(("a",)))
