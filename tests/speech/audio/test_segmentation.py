"""Segmentation of long signals: windows, and sounds between pauses."""

import numpy as np
import pytest

from zoo.speech.audio.reading import read_audio
from zoo.speech.audio.segmentation import PauseSegmentation, windows
from zoo.speech.data import EXAMPLE_CLIPS

RATE = 16_000
SPEECH = PauseSegmentation(RATE, min_pause=0.8, margin=0.5, max_segment=20.0)


def blocks(signal, size):
    return (signal[i : i + size] for i in range(0, len(signal), size))


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize(
    ("samples", "begins"),
    [
        (10, [0]),  # shorter than a window
        (20, [0]),
        (21, [0, 1]),  # the last window ends where the signal ends
        (30, [0, 10]),
        (35, [0, 10, 15]),
        (100, [0, 10, 20, 30, 40, 50, 60, 70, 80]),
        (0, []),
    ],
)
def test_windows(block, samples, begins):
    signal = np.arange(samples, dtype=np.float32)
    found = list(windows(blocks(signal, block), 20, 10))
    assert [first for first, _ in found] == begins
    for first, window in found:
        np.testing.assert_array_equal(window, signal[first : first + 20])


def test_windows_may_have_no_overlap():
    signal = np.arange(25, dtype=np.float32)
    found = list(windows(blocks(signal, 9), 10, 10))
    assert [(first, len(window)) for first, window in found] == [(0, 10), (10, 10), (15, 10)]


@pytest.fixture(scope="module")
def clips():
    return [read_audio(clip, RATE) for clip in EXAMPLE_CLIPS]


def joined(clips, silence):
    """Return clips with silence before and after each, and the begin of each."""
    parts, begins, total = [silence], [], len(silence)
    for clip in clips:
        begins.append(total)
        parts += [clip, silence]
        total += len(clip) + len(silence)
    return np.concatenate(parts), begins


@pytest.mark.parametrize("block", [5_000, 262_144])
def test_clips_between_digital_silence(clips, block):
    """Segments are equal to the clips, in all sections of the signal."""
    many = clips * 8  # 86 s of speech: two sections and more
    signal, begins = joined(many, np.zeros(round(1.5 * RATE), np.float32))
    found = list(SPEECH.segments(blocks(signal, block)))
    assert [first for first, _ in found] == begins
    for (_, segment), clip in zip(found, many, strict=True):
        np.testing.assert_array_equal(segment, clip)


def test_clips_between_low_noise(clips):
    noise = 1e-3 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    signal, begins = joined(clips, noise)
    found = list(SPEECH.segments(blocks(signal, 30_000)))
    assert len(found) == len(clips)
    for (first, segment), begin, clip in zip(found, begins, clips, strict=True):
        assert begin - 0.5 * RATE <= first <= begin + 0.1 * RATE
        end = begin + len(clip)
        assert end - 0.1 * RATE <= first + len(segment) <= end + 0.5 * RATE


def test_speech_without_pauses(clips):
    signal = np.concatenate([clip[2_000:-4_000] for clip in clips] * 9)
    assert len(signal) > 80 * RATE
    found = list(SPEECH.segments(blocks(signal, 100_000)))
    lengths = [len(segment) / RATE for _, segment in found]
    assert max(lengths) <= 20
    assert sum(length < 5 for length in lengths) <= 1  # at most the last
    loud = np.sqrt(np.mean(np.square(signal)))
    for first, _ in found[1:]:  # cuts are at quiet samples
        around = signal[first - 160 : first + 160]
        assert np.sqrt(np.mean(np.square(around))) < loud / 3
    ends = [first + len(segment) for first, segment in found]
    kept = sum(lengths) * RATE / len(signal)
    assert all(b >= a for a, b in zip(ends, [first for first, _ in found[1:]], strict=False))
    assert kept > 0.97


def test_silence_and_noise():
    generator = np.random.default_rng(0)
    assert list(SPEECH.segments(blocks(np.zeros(100 * RATE, np.float32), RATE))) == []
    hiss = 1e-5 * generator.standard_normal(5 * RATE).astype(np.float32)
    assert list(SPEECH.segments([hiss])) == []  # below the minimum level
    assert list(SPEECH.segments([])) == []
    # Steady sound has no pauses.
    steady = 0.1 * generator.standard_normal(5 * RATE).astype(np.float32)
    ((first, segment),) = SPEECH.segments([steady])
    assert (first, len(segment)) == (0, len(steady))
    # Noise between utterances is not sound, even if its section has no other sound.
    silence = 1e-3 * generator.standard_normal(90 * RATE).astype(np.float32)
    word = 0.2 * generator.standard_normal(RATE).astype(np.float32)
    signal = np.concatenate([word, silence, word])
    found = list(SPEECH.segments(blocks(signal, 50_000)))
    assert len(found) == 2
    assert all(len(segment) <= 2 * RATE for _, segment in found)
