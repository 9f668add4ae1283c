"""Silence around a recording: what is recognised is what is recognised without it."""

import jiwer
import numpy as np
import pytest
import soundfile
import tensorflow as tf

import zoo
from zoo.common.core.errors import ZooError
from zoo.speech.audio.silence import trim, trim_batch
from zoo.speech.recognition.data import EXAMPLE_CLIPS

RATE = 16_000


@pytest.fixture(scope="module")
def preset():
    return zoo.load("speech/bilstm-ctc-an4")


@pytest.fixture(scope="module")
def clips(an4):
    """Waveforms of real recordings: the shipped clips, and what travels with the tests."""
    paths = [*EXAMPLE_CLIPS, *sorted(an4.rglob("*.flac"))]
    return [soundfile.read(path, dtype="float32")[0] for path in paths]


def padding(seconds, decibels):
    """Digital silence (None), or white noise of so many decibels below full scale."""
    if decibels is None:
        return np.zeros(int(seconds * RATE), np.float32)
    noise = np.random.default_rng(0).normal(0, 10 ** (decibels / 20), int(seconds * RATE))
    return noise.astype(np.float32)


def around(clip, seconds, decibels, side):
    before = padding(seconds, decibels)[: None if side != "after" else 0]
    after = padding(seconds, decibels)[: None if side != "before" else 0]
    return np.concatenate([before, clip, after])


@pytest.mark.parametrize("side", ["before", "after", "around"])
@pytest.mark.parametrize("seconds", [0.5, 3, 10])
def test_digital_silence_leaves_the_clip(clips, seconds, side):
    """To the sample; and the clips themselves are left as they are."""
    for clip in clips:
        left, begin = trim(around(clip, seconds, None, side), RATE, 400)
        edges = np.flatnonzero(np.abs(clip) > 5e-5)[[0, -1]]
        assert abs(begin - seconds * RATE * (side != "after")) <= edges[0]
        assert len(clip) - len(left) <= edges[0] + len(clip) - edges[1]
        np.testing.assert_array_equal(trim(clip, RATE, 400)[0], clip)


def texts(preset, waveforms):
    recipe = preset.recipe.override({"decoder.beam_width": 1})
    items = [recipe.data.item(waveform, recipe) for waveform in waveforms]
    return [recipe.task.answer(preset.graphs, recipe, item)["output"] for item in items]


def test_three_seconds_of_digital_silence_change_nothing(preset, clips):
    assert texts(preset, [around(clip, 3, None, "around") for clip in clips]) == texts(
        preset, clips
    )


@pytest.mark.parametrize("decibels", [-80, -70])
def test_low_noise_changes_nothing(preset, clips, decibels):
    """But for one or two letters in three of the 26 clips; without trimming it was all but a few."""
    seconds = {"before": 0.5, "after": 3, "around": 10}
    sides = [list(seconds)[i % 3] for i in range(len(clips))]
    noisy = [
        around(clip, seconds[side], decibels, side) for clip, side in zip(clips, sides, strict=True)
    ]
    plain = texts(preset, clips)
    changed = [pair for pair in zip(plain, texts(preset, noisy), strict=True) if len(set(pair)) > 1]
    assert len(changed) <= 3
    assert all(jiwer.cer(a, b) < 0.1 for a, b in changed)


def test_in_a_graph_as_outside(clips):
    rows = [
        around(clip, 1.5, level, "around")
        for clip, level in zip(clips[:4], (None, -70) * 2, strict=False)
    ]
    rows += [np.zeros(8000, np.float32), clips[0], clips[0][5000:5300]]
    lengths = np.array([len(row) for row in rows], np.int32)
    batch = np.stack([np.pad(row, (0, lengths.max() - len(row))) for row in rows])
    graph = tf.function(lambda x, n: trim_batch(x, n, RATE, 400))
    trimmed, kept = (t.numpy() for t in graph(batch, lengths))
    assert kept[4] == 0
    for row, left, count in zip(rows, trimmed, kept, strict=True):
        expected = trim(row, RATE, 400)[0] if row.any() else row[:0]
        assert abs(count - len(expected)) <= 160  # a block that rounding puts above the step
        if count == len(expected):
            np.testing.assert_array_equal(left[:count], expected)
        assert not left[count:].any()


def test_a_blink_in_silence_stays_whole():
    waveform = np.zeros(RATE, np.float32)
    waveform[8000:8100] = 0.5
    assert trim(waveform, RATE, 400)[0] is waveform


def test_zeros_have_no_text_in_the_graph(preset, tmp_path):
    """The command line refuses them in one line; a SavedModel cannot, and answers "" for that row."""
    recipe = preset.recipe
    answer, entry = (
        recipe.task.answer_in_graph(preset.model, recipe),
        recipe.data.raw_inputs(recipe)["serving_default"],
    )
    clip = soundfile.read(EXAMPLE_CLIPS[0], dtype="float32")[0]
    batch = np.zeros((3, len(clip) + RATE), np.float32)
    batch[1, RATE:] = clip
    batch[2, : len(clip)] = clip
    lengths = np.array([3 * RATE, batch.shape[1], len(clip)], np.int32)
    found = answer(entry.to_inputs(tf.constant(batch), tf.constant(lengths)))
    silent, padded, plain = (text.decode() for text in found["text"].numpy())
    assert silent == ""
    assert padded == plain != ""
    assert np.isfinite(found["log_probability"].numpy()).all()
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(ZooError, match="silent"):
        recipe.data.read_input(str(tmp_path / "silent.wav"), recipe)


def test_times_are_those_of_the_recording(preset, clips, tmp_path):
    """Words are told at the seconds of the file, not of what the model heard of it."""
    recipe = preset.recipe.override({"decoder.times": "true"})
    soundfile.write(tmp_path / "late.wav", around(clips[3], 2, None, "around"), RATE)
    late = recipe.data.read_input(str(tmp_path / "late.wav"), recipe)
    plain = recipe.data.item(clips[3], recipe)
    assert recipe.data.about_input(late, recipe) == {"seconds": 4 + len(clips[3]) / RATE}
    words, early = (
        recipe.task.answer(preset.graphs, recipe, item)["words"] for item in (late, plain)
    )
    assert [w["word"] for w in words] == [w["word"] for w in early]
    np.testing.assert_allclose(
        [w["begin"] for w in words], [w["begin"] + 2 for w in early], atol=0.002
    )


def test_a_model_that_hears_as_it_goes_hears_all(preset, clips):
    recipe = preset.recipe.override({"model.features.normalization": "running"})
    waveform = around(clips[0], 1, None, "before")
    assert recipe.data.item(waveform, recipe)["waveform"] is waveform
