"""Recordings as data: what can be learnt from, how many batches that is, when masks are drawn."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.speech import pipeline
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.data import NO_MASKS, SpecAugment, Utterances

DIGITS = Path(__file__).parents[1] / "data/fsdd"


@pytest.fixture(scope="module")
def recipe():
    tiny = {"model.layers": 1, "model.hidden_size": 4, "model.conv_filters": 2}
    recipe = entry("speech/bilstm-ctc-an4").recipe().override(tiny)
    data = replace(recipe.data, spec_augment=NO_MASKS, speed_perturbation=(1.0,))
    return replace(recipe, data=data)


@pytest.fixture(scope="module")
def model(recipe):
    return recipe.model.build()


@pytest.fixture(scope="module")
def examples(an4):
    return AN4.read(an4, "all")


@pytest.fixture(scope="module")
def digits():
    """A recipe of recordings with a label, and examples of it."""
    return entry("speech/tdnn-fsdd").recipe(), FSDD.read(DIGITS, "train")


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
def test_steps_are_the_batches_of_an_epoch(recipe, model, examples, batch_size):
    recipe = recipe.override({"training.batch_size": batch_size})
    batches = list(recipe.data.batches(model, recipe, examples, 0))
    assert recipe.data.steps_per_epoch(recipe, examples) == len(batches)
    ids = sorted(str(id_) for _, _, batch in batches for id_ in batch)
    assert ids == sorted(example.id for example in examples)


def test_batches_of_texts(recipe, model, examples):
    """Each example with its own features and labels, the same in the second iteration."""
    batches = recipe.data.batches(model, recipe, examples, 0)
    by_id = {example.id: example for example in examples}
    front_end = recipe.model.front_end(model)
    again = iter(batches)
    for x, y, ids in batches:
        same_x, same_y, same_ids = next(again)
        for old, new in ((x, same_x), (y, same_y)):
            assert all(np.array_equal(old[name], new[name]) for name in old)
        assert ids.tolist() == same_ids.tolist()
        for row, id_ in enumerate(ids):
            example = by_id[id_]
            assert y["labels"][row, : y["label_lengths"][row]].tolist() == recipe.data.encode(
                example
            )
            assert not y["labels"][row, y["label_lengths"][row] :].any()
            assert not x["features"][row, x["frames"][row] :].any()
    item = recipe.data.read_example(example, recipe)
    features = front_end(recipe.data.collate([item]))[0]
    np.testing.assert_allclose(x["features"][row, : x["frames"][row]], features, atol=1e-5)


def test_batches_of_labels(digits):
    recipe, examples = digits
    batches = recipe.data.batches(recipe.model.build(), recipe, examples, 0)
    ((x, y, ids),) = batches
    assert y["label"].dtype == np.int32
    assert y["label"].tolist() == [int(id_[0]) for id_ in ids]
    longest = x["frames"].max()
    assert x["features"].shape == (6, longest + -longest % pipeline.PADDING_FRAMES, 16)
    assert batches.spec[1] == {"label": ((None,), "int32")}


def test_what_cannot_be_learnt_from_is_counted(recipe, examples, tmp_path):
    broken = tmp_path / "broken.flac"
    broken.write_bytes(examples[0].audio.read_bytes()[:5000])
    bad = [
        replace(examples[0], audio=broken),
        replace(examples[1], transcript="A B C D E F G H I J K L M N O P Q R S T U V W X Y Z " * 2),
    ]
    data = replace(recipe.data, max_seconds=2.8)
    kept, left_out = data.filter_examples([*examples, *bad], recipe)
    assert left_out == {
        "longer than 2.8 s": sum(example.seconds > 2.8 for example in examples),
        "unreadable": 1,
        "too short for its transcript": 1,
    }
    assert kept == [example for example in examples if example.seconds <= 2.8]
    with pytest.raises(ZooError, match=r"1 unreadable, 1 too short for its transcript of 2 clips"):
        data.filter_examples(bad, recipe)


def test_a_clip_must_have_a_window(digits):
    """The front end says how short a recording may be."""
    recipe, examples = digits
    assert recipe.data.filter_examples(examples, recipe) == (examples, {})
    long_window = recipe.override({"model.features.window": 0.5})
    kept, left_out = long_window.data.filter_examples(examples, long_window)
    assert kept == [example for example in examples if example.seconds >= 0.5]
    assert 0 < len(kept) == len(examples) - left_out["unreadable"] < len(examples)
    with pytest.raises(ZooError, match="too short: at least 500 ms is needed"):
        long_window.data.read_input(str(examples[-1].audio), long_window)


def test_labels_of_characters(recipe, examples):
    example = replace(examples[0], transcript="A Z")
    assert recipe.data.encode(example) == [2, 1, 27]
    with pytest.raises(ZooError, match=rf"transcript of '{example.id}': '\?é' is not among the 27"):
        recipe.data.encode(replace(example, transcript="CAFé?"))


@pytest.mark.parametrize(
    ("target", "symbols", "size", "encoded"),
    [
        ("characters", ("A", "B", "C"), 4, [1, 2]),
        ("words", ("AB", "C"), 3, [1]),
        ("label", ("AB", "C"), 2, [0]),
    ],
)
def test_labels_are_taken_from_the_transcripts(
    recipe, digits, examples, target, symbols, size, encoded
):
    named = [replace(examples[0], transcript="AB"), replace(examples[1], transcript="C")]
    model = digits[0].model if target == "label" else recipe.model
    data, model = Utterances(target=target).adapt(named, model)
    assert data.labels.symbols == symbols
    assert (model.num_classes if target == "label" else model.vocabulary_size) == size
    assert data.encode(named[0]) == encoded
    assert data.adapt(examples, model) == (data, model)


@pytest.mark.parametrize("target", ["characters", "words", "label"])
def test_labels_are_a_file_of_their_own(tmp_path, target):
    units = {"characters": "character", "words": "word", "label": "class"}
    data = Utterances(target=target, labels=Labels(("A", "B"), units[target]))
    for name, text in data.assets().items():
        (tmp_path / name).write_text(text)
    assert Utterances(target=target).with_assets(tmp_path) == data


def test_items(recipe, examples):
    """What predict and evaluate read, and how it becomes a batch."""
    items = [recipe.data.read_example(example, recipe) for example in examples[:3]]
    inputs = recipe.data.collate(items)
    assert inputs["lengths"].tolist() == [len(item["waveform"]) for item in items]
    assert inputs["waveform"].shape == (3, inputs["lengths"].max())
    assert recipe.data.about_input(items[0], recipe) == {"seconds": examples[0].seconds}
    assert recipe.data.length(examples[0]) == examples[0].seconds


def test_wav_bytes_are_read_in_the_graph(recipe, digits):
    """The way in for files gives the waveforms of the other way in, at the rate of each model."""
    for one, name in ((recipe, "transcribe_wav"), (digits[0], "classify_wav")):
        inputs, entries = one.data.example_inputs(one), one.data.raw_inputs(one)
        assert {"serving_default", name} == set(entries)
        assert {"model", *entries} <= set(inputs)
        for files, waveforms in zip(inputs[name], inputs["serving_default"], strict=True):
            read = entries[name].to_inputs(tf.constant(files["wav"]))
            assert read["lengths"].numpy().tolist() == waveforms["lengths"].tolist()
            np.testing.assert_allclose(read["waveform"], waveforms["waveform"], atol=4e-5)
    (file,) = inputs[name][0]["wav"]
    wrong_rate = recipe.data.raw_inputs(recipe)["transcribe_wav"].to_inputs
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have 16000 Hz"):
        wrong_rate(tf.constant([file]))


def test_without_masks_tensorflow_io_is_not_needed(recipe, model, examples, monkeypatch):
    pipeline._tensorflow_io_audio.cache_clear()
    for name in ("tensorflow_io", "tensorflow_io.python.ops"):
        monkeypatch.setitem(sys.modules, name, None)
    assert list(recipe.data.batches(model, recipe, examples[:1], 0))
    masked = replace(recipe, data=replace(recipe.data, spec_augment=SpecAugment()))
    with pytest.raises(ZooError, match="SpecAugment needs tensorflow-io"):
        masked.data.batches(model, masked, examples[:1], 0)


@pytest.mark.parametrize(
    "masks",
    [
        SpecAugment(freq_width=500, time_width=500, time_share=0.99),
        SpecAugment(freq_width=0, time_width=0),
        SpecAugment(time_share=0),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_masks_of_any_width_fit(masks, frames):
    pytest.importorskip("tensorflow_io")
    for _ in range(20):
        masked = pipeline.spec_augmented(tf.ones([frames, 8]), masks).numpy()
        assert masked.shape == (frames, 8)
        assert set(np.unique(masked)) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"speed_perturbation": ()}, "data.speed_perturbation"),
        ({"speed_perturbation": (3.0,)}, "data.speed_perturbation must be at least 0.5"),
        ({"max_seconds": 0.0}, "data.max_seconds must be above 0"),
        ({"target": "phonemes"}, "data.target must be one of 'characters', 'words', 'label'"),
        ({"split_by": "take"}, "data.split_by must be one of 'speaker', 'utterance'"),
        ({"target": "label", "labels": Labels(("a",))}, "must be of the unit 'class'"),
    ],
)
def test_data_is_checked(wrong, message):
    with pytest.raises(ZooError, match=message):
        Utterances(**wrong)


def test_dev_without_speakers_is_said_to_be_cut_by_utterance(recipe, an4, capsys):
    examples = AN4.read(an4, "train")
    train, dev = recipe.data.split_dev(examples, 0.3, 0)
    assert not {e.speaker for e in train} & {e.speaker for e in dev}
    assert capsys.readouterr().err == ""
    nameless = [replace(example, speaker="") for example in examples]
    _, dev = recipe.data.split_dev(nameless, 0.3, 0)
    assert len(dev) == round(0.3 * len(examples))
    assert "dev is cut by utterance" in capsys.readouterr().err
