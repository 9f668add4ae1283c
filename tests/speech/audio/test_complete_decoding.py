"""Files of several parts, files with wrong headers, and channels that cancel each other."""

import io
import struct
import time

import numpy as np
import pytest
import soundfile

from tests.speech.audio.test_reading import CLIP, RATE, lag, mp3_frames, signal_to_noise
from zoo.common.core.errors import ZooError
from zoo.speech.audio.reading import read_audio, recording_seconds
from zoo.speech.audio.segmentation import PauseSegmentation


@pytest.fixture(scope="module")
def clip():
    return soundfile.read(CLIP, dtype="float32")[0]


def encoded(waveform, container, coding, rate=RATE):
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format=container, subtype=coding)
    return file.getvalue()


# Files of several parts


@pytest.mark.parametrize(
    ("container", "coding"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
)
def test_joined_files(clip, container, coding):
    """The audio is that of the files one after the other, whose numbers of channels may differ."""
    parts = [clip[8000:24_000], np.stack([clip, clip], axis=1)]
    files = [encoded(part, container, coding) for part in parts]
    expected = np.concatenate([read_audio(file, RATE) for file in files])
    assert len(expected) == 16_000 + len(clip)
    np.testing.assert_array_equal(read_audio(b"".join(files), RATE), expected)
    assert recording_seconds(b"".join(files)) == len(expected) / RATE


def test_joined_mp3_files_without_a_tag(clip):
    """The frame count of the first file does not include the frames of the second."""
    file = encoded(clip, "MP3", "MPEG_LAYER_III")
    frames = mp3_frames(file)
    assert b"Info" in frames[0] or b"Xing" in frames[0]
    read = read_audio(file + b"ID3\4\0\0\0\0\0\0" + b"".join(frames[1:]), RATE)
    assert 0 <= len(read) - 2 * len(clip) < 6 * 1152  # what an encoder adds at both ends
    shift = lag(read[: len(clip)], clip)
    assert signal_to_noise(read[shift : shift + len(clip)], clip) > 15


def test_parts_of_different_rates(clip):
    parts = [encoded(clip, "OGG", "VORBIS", rate) for rate in (16_000, 8000)]
    with pytest.raises(ZooError, match=r"must have one sample rate\. Received: 8000, 16000 Hz"):
        read_audio(b"".join(parts), RATE)


@pytest.mark.parametrize("tag", ["VBRI", "Xing"])
def test_an_mp3_whose_tag_does_not_state_the_frames(clip, tag):
    """The rate of the first frame is too high for the others, so a length from it would be too short."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE // 2).astype(np.float32)
    sound, file = np.concatenate([noise, clip]), io.BytesIO()
    how = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}
    with soundfile.SoundFile(file, "w", RATE, 1, "MPEG_LAYER_III", format="MP3", **how) as writer:
        writer.write(sound)
    first, *frames = mp3_frames(file.getvalue())
    first = bytearray(len(first))
    first[:4] = frames[0][:4]
    at = 36 if tag == "VBRI" else 13
    first[at : at + 4] = tag.encode()
    length = len(mp3_frames(bytes(first) + frames[0])[0])
    read = read_audio(bytes(first.ljust(length, b"\0")[:length]) + b"".join(frames), RATE)
    assert 0 <= len(read) - len(sound) < 3 * 1152


# Wrong headers


def test_a_wav_that_states_no_bytes(clip):
    """A recorder that is killed leaves a data chunk of size 0."""
    file = bytearray(encoded(clip, "WAV", "PCM_16"))
    start = file.index(b"data") + 4
    file[start : start + 4] = bytes(4)
    np.testing.assert_array_equal(read_audio(bytes(file), RATE), clip)
    empty = bytes(file[: start + 4]) + struct.pack("<4sI", b"LIST", 400) + bytes(400)
    with pytest.raises(ZooError, match=r"too short.*Received: 0 sample"):
        read_audio(empty, RATE)


@pytest.mark.parametrize("coding", ["PCM_S8", "PCM_16", "PCM_24"])
def test_wrong_bits_in_the_header_of_a_flac(clip, coding):
    """Each bit of the stream information: the file is rejected, or its audio does not change."""
    file = encoded(clip[:8000], "FLAC", coding)
    whole = read_audio(file, RATE)
    np.testing.assert_array_equal(whole, soundfile.read(io.BytesIO(file), dtype="float32")[0])
    rejected = 0
    for bit in range(8 * 8, 8 * 42):
        damaged = bytearray(file)
        damaged[bit // 8] ^= 128 >> bit % 8
        try:
            read = read_audio(bytes(damaged), RATE)
        except ZooError:
            rejected += 1
        else:
            np.testing.assert_array_equal(read, whole)
    assert rejected > 180  # rate, channels, bits, length and digest


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 48_001, 80_010, 96_000, 192_000])
def test_a_wrong_rate_of_a_flac(clip, rate):
    file = bytearray(encoded(clip[:8000], "FLAC", "PCM_16", rate))
    assert len(read_audio(bytes(file), rate)) == 8000
    file[19] ^= 1  # a bit of the rate
    with pytest.raises(ZooError, match=rf"damaged: .* its first frame states {rate} Hz"):
        read_audio(bytes(file), rate)


def test_a_flac_without_a_digest(clip):
    file = bytearray(encoded(clip, "FLAC", "PCM_16"))
    file[26:42] = bytes(16)
    np.testing.assert_array_equal(read_audio(bytes(file), RATE), clip)


@pytest.mark.parametrize("rate", [1, 5, 99])
def test_a_very_low_rate(clip, rate):
    start = time.perf_counter()
    with pytest.raises(ZooError, match=rf"from 100 to 1000000 Hz\. Received: {rate} Hz"):
        read_audio(encoded(clip, "WAV", "PCM_16", rate), RATE)
    assert time.perf_counter() - start < 0.5


# Channels


def test_channels_that_cancel_each_other(clip, capsys):
    """A microphone cable with inverted polarity: the mean of the channels would be nearly silent."""
    noise = np.random.default_rng(0).normal(0, 1e-3, (2, len(clip))).astype(np.float32)
    inverted = np.stack([clip + noise[0], 0.1 - 1.01 * clip + noise[1]], axis=1)
    for source in ((inverted, RATE), encoded(inverted, "WAV", "FLOAT")):
        np.testing.assert_array_equal(read_audio(source, RATE), inverted[:, 1])
        assert "its channels cancel each other. Only channel 2 is used." in capsys.readouterr().err


def test_channels_that_do_not_cancel_each_other(clip, capsys):
    other = np.random.default_rng(0).normal(0, 0.1, len(clip)).astype(np.float32)
    silent = np.zeros_like(clip)
    for channels in ([clip, clip], [clip, other], [clip, silent], [clip, -0.4 * clip]):
        samples = np.stack(channels, axis=1)
        read = read_audio((samples, RATE), RATE)
        np.testing.assert_allclose(read, samples.mean(axis=1), atol=1e-7)
    wide = np.zeros((1000, 100), np.float32)
    wide[:, 3] = clip[8000:9000]
    np.testing.assert_allclose(read_audio((wide, RATE), RATE), wide[:, 3] / 100, atol=1e-9)
    assert capsys.readouterr().err == ""


# Segments


def test_segments_do_not_depend_on_blocks():
    """Segments of three minutes, in which the noise grows, do not depend on the size of blocks."""
    generator, rate = np.random.default_rng(0), 1000
    noise = generator.normal(0, 1, 190 * rate) * np.linspace(1e-3, 3e-2, 190 * rate)
    tone = 0.2 * np.sin(np.arange(190 * rate)) * (np.arange(190 * rate) % 3000 < 2000)
    signal = (noise + tone * np.repeat(generator.uniform(0.05, 1, 190), rate)).astype(np.float32)
    segmentation = PauseSegmentation(rate, 0.8, 0.5, 20.0)

    def spans(block):
        blocks = (signal[i : i + block] for i in range(0, len(signal), block))
        return [(begin, len(samples)) for begin, samples in segmentation.segments(blocks)]

    expected = spans(len(signal))
    assert len(expected) > 10
    for block in (999, 7919, 61_000, 131_072):
        assert spans(block) == expected
