"""Silence at both ends of a recording does not change what is recognized."""

import jiwer
import numpy as np
import pytest
import soundfile
import tensorflow as tf

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.speech.audio.silence import trim, trim_batch
from zoo.speech.data import EXAMPLE_CLIPS

RATE = 16_000


@pytest.fixture(scope="module")
def preset():
    return zoo.load("speech/bilstm-ctc-an4")


@pytest.fixture(scope="module")
def clips(an4):
    """Return the waveforms of the example clips and of the clips of the tests."""
    paths = [*EXAMPLE_CLIPS, *sorted(an4.rglob("*.flac"))]
    return [soundfile.read(path, dtype="float32")[0] for path in paths]


def padding(seconds, decibels):
    """Return digital silence (None), or white noise with a level in decibels of full scale."""
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
def test_digital_silence_is_trimmed(clips, seconds, side):
    """The clips themselves do not change."""
    for clip in clips:
        left, begin = trim(around(clip, seconds, None, side), RATE, 400)
        edges = np.flatnonzero(np.abs(clip) > 5e-5)[[0, -1]]
        assert abs(begin - seconds * RATE * (side != "after")) <= edges[0]
        assert len(clip) - len(left) <= edges[0] + len(clip) - edges[1]
        np.testing.assert_array_equal(trim(clip, RATE, 400)[0], clip)


def texts(preset, waveforms):
    recipe = preset.recipe.override({"decoder.beam_width": 1})
    items = [recipe.data.item(waveform, recipe.model) for waveform in waveforms]
    predictor = recipe.predictor(preset.graphs)
    return [recipe.task.answer(predictor, item)["output"] for item in items]


def test_digital_silence_does_not_change_texts(preset, clips):
    assert texts(preset, [around(clip, 3, None, "around") for clip in clips]) == texts(
        preset, clips
    )


@pytest.mark.parametrize("decibels", [-80, -70])
def test_low_noise_changes_few_letters(preset, clips, decibels):
    """One or two letters change in at most three of 26 clips. Without trimming, most texts change."""
    seconds = {"before": 0.5, "after": 3, "around": 10}
    sides = [list(seconds)[i % 3] for i in range(len(clips))]
    noisy = [
        around(clip, seconds[side], decibels, side) for clip, side in zip(clips, sides, strict=True)
    ]
    plain = texts(preset, clips)
    changed = [pair for pair in zip(plain, texts(preset, noisy), strict=True) if len(set(pair)) > 1]
    assert len(changed) <= 3
    assert all(jiwer.cer(a, b) < 0.1 for a, b in changed)


def test_trim_in_a_graph(clips):
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
        assert abs(count - len(expected)) <= 160  # one block may differ by rounding
        if count == len(expected):
            np.testing.assert_array_equal(left[:count], expected)
        assert not left[count:].any()


def test_a_short_sound_is_not_trimmed():
    waveform = np.zeros(RATE, np.float32)
    waveform[8000:8100] = 0.5
    assert trim(waveform, RATE, 400)[0] is waveform


def test_zeros_in_a_graph_have_no_text(preset, tmp_path):
    """A SavedModel returns "" for a silent row. The command line refuses it."""
    recipe = preset.recipe
    models = Graphs("keras", recipe.model.graphs(preset.model))
    answer, entry = (
        recipe.task.answer_in_graph(recipe.predictor(models)),
        recipe.data.raw_inputs(recipe.model, recipe.decoder)["serving_default"],
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
        recipe.data.read_input(str(tmp_path / "silent.wav"), recipe.model)


def test_times_are_relative_to_the_whole_recording(preset, clips, tmp_path):
    recipe = preset.recipe.override({"decoder.times": "true"})
    soundfile.write(tmp_path / "late.wav", around(clips[3], 2, None, "around"), RATE)
    late = recipe.data.read_input(str(tmp_path / "late.wav"), recipe.model)
    plain = recipe.data.item(clips[3], recipe.model)
    assert recipe.data.input_metadata(late) == {"seconds": 4 + len(clips[3]) / RATE}
    words, early = (
        recipe.task.answer(recipe.predictor(preset.graphs), item)["words"] for item in (late, plain)
    )
    assert [w["word"] for w in words] == [w["word"] for w in early]
    np.testing.assert_allclose(
        [w["begin"] for w in words], [w["begin"] + 2 for w in early], atol=0.002
    )


def test_streaming_models_do_not_trim(preset, clips):
    recipe = preset.recipe.override({"model.features.normalization": "running"})
    waveform = around(clips[0], 1, None, "before")
    assert recipe.data.item(waveform, recipe.model)["waveform"] is waveform
