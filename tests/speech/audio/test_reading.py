"""Reading of audio files and waveforms."""

import io
import os
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from zoo.common.core.errors import ZooError
from zoo.speech.audio.mpeg_frames import parse_header
from zoo.speech.audio.reading import (
    audio_seconds,
    check_waveform,
    read_audio,
    read_blocks,
    recording_seconds,
)

RATE = 16000
CLIP = Path(__file__).parents[2] / "data/an4/test/mjgm/an438-mjgm-b.flac"
EXACT = 200.0  # decibels: no difference

# File, container, coding, and minimum signal-to-noise ratio in dB. The ratio of 8 bits is low because
# the clip is quiet: its peak is a sixth of full scale.
KINDS = [
    ("u8.wav", "WAV", "PCM_U8", 10),
    ("16.wav", "WAV", "PCM_16", EXACT),
    ("24.wav", "WAV", "PCM_24", EXACT),
    ("32.wav", "WAV", "PCM_32", EXACT),
    ("float.wav", "WAV", "FLOAT", EXACT),
    ("double.wav", "WAV", "DOUBLE", EXACT),
    ("mulaw.wav", "WAV", "ULAW", 33),
    ("alaw.wav", "WAV", "ALAW", 30),
    ("extensible.wav", "WAVEX", "PCM_16", EXACT),
    ("rf64.wav", "RF64", "PCM_16", EXACT),
    ("16.flac", "FLAC", "PCM_16", EXACT),
    ("24.flac", "FLAC", "PCM_24", EXACT),
    ("vorbis.ogg", "OGG", "VORBIS", 15),
    ("opus.opus", "OGG", "OPUS", 15),
    ("lame.mp3", "MP3", "MPEG_LAYER_III", 20),
    ("16.aiff", "AIFF", "PCM_16", EXACT),
    ("sphere.sph", "NIST", "PCM_16", EXACT),
]


@pytest.fixture(scope="module")
def clip():
    return soundfile.read(CLIP, dtype="float32")[0]


def write(path, waveform, rate=RATE, container="WAV", coding="PCM_16"):
    soundfile.write(path, waveform, rate, format=container, subtype=coding)
    return path


def signal_to_noise(read, written):
    noise = np.sum((read - written) ** 2, dtype=np.float64)
    return 10 * np.log10(np.sum(written**2, dtype=np.float64) / max(noise, 1e-20))


def lag(read, written):
    """Return the delay of `read` in samples, the peak of the cross-correlation."""
    size = len(read) + len(written)
    spectrum = np.fft.rfft(read, size) * np.conj(np.fft.rfft(written, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize(("file", "container", "coding", "decibels"), KINDS)
def test_file_types(tmp_path, clip, file, container, coding, decibels):
    path = write(tmp_path / file, clip, RATE, container, coding)
    read = read_audio(path, RATE)
    assert read.dtype == np.float32
    assert read.shape == clip.shape
    assert lag(read, clip) == 0
    assert signal_to_noise(read, clip) >= decibels
    np.testing.assert_array_equal(read_audio(path.read_bytes(), RATE), read)
    assert audio_seconds(path) == len(clip) / RATE


def test_big_endian_wav(clip):
    file = io.BytesIO()
    soundfile.write(file, clip, RATE, format="WAV", subtype="PCM_16", endian="BIG")
    assert file.getvalue()[:4] == b"RIFX"
    np.testing.assert_array_equal(read_audio(file.getvalue(), RATE), clip)


def test_the_extension_has_no_effect(tmp_path, clip):
    for name in ("clip.wav", "clip.raw", "clip.gsm", "clip"):
        (tmp_path / name).write_bytes(CLIP.read_bytes())
        np.testing.assert_array_equal(read_audio(str(tmp_path / name), RATE), clip)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_any_rate_and_channels(tmp_path, rate):
    """A tone of 440 Hz keeps its frequency and phase, with the mean level of its channels."""
    time = np.arange(int(0.5 * rate)) / rate
    tone = np.sin(2 * np.pi * 440 * time)
    channels = np.stack([0.6 * tone, 0.3 * tone, 0 * tone], axis=1)
    read = read_audio(write(tmp_path / "tone.wav", channels, rate, coding="FLOAT"), RATE)
    expected = 0.3 * np.sin(2 * np.pi * 440 * np.arange(len(read)) / RATE)
    assert abs(len(read) - RATE / 2) <= 1
    inner = slice(RATE // 20, -RATE // 20)  # the filter rings at the ends of the tone
    assert signal_to_noise(read[inner], expected[inner]) > 80


def test_speech_through_stereo_44100(tmp_path, clip):
    up = soxr.resample(clip, RATE, 44100)
    path = write(tmp_path / "stereo.wav", np.stack([up, up / 2], axis=1), 44100, coding="PCM_24")
    read = read_audio(path, RATE)
    assert read.shape == clip.shape
    assert lag(read, clip) == 0
    assert signal_to_noise(read, 0.75 * clip) > 30


def test_wav_written_to_a_pipe(clip, tmp_path):
    data = bytearray(write(tmp_path / "clip.wav", clip).read_bytes())
    start = data.index(b"data") + 4
    for length in (0xFFFFFFFF, 0x7FFFFFFF):
        data[start : start + 4] = struct.pack("<I", length)
        np.testing.assert_array_equal(read_audio(bytes(data), RATE), clip)


def test_extra_chunks_and_odd_sizes(tmp_path, clip):
    data = write(tmp_path / "odd.wav", clip[:16001], coding="PCM_U8").read_bytes().rstrip(b"\0")
    assert read_audio(data, RATE).shape == (16001,)
    start = data.index(b"data")
    padded = data[:start] + struct.pack("<4sI", b"LIST", 3) + b"abc\0" + data[start:]
    assert read_audio(padded, RATE).shape == (16001,)


def test_short_and_long_recordings(tmp_path, clip):
    short = write(tmp_path / "short.wav", clip[8000:8800])
    assert read_audio(short, RATE).shape == (800,)
    minutes = np.tile(clip, 1 + 600 * RATE // len(clip))[: 600 * RATE]
    long = write(tmp_path / "long.wav", minutes)
    np.testing.assert_array_equal(read_audio(long, RATE), minutes)


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.02])
@pytest.mark.parametrize(("file", "container", "coding", "_"), KINDS)
def test_truncated(tmp_path, clip, capfd, file, container, coding, _, kept):
    path = write(tmp_path / file, clip, RATE, container, coding)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(ZooError, match="truncated") as error:
        read_audio(path, RATE)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def damaged(waveform, value):
    waveform = waveform.copy()
    waveform[3200] = value
    return waveform


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda clip: damaged(clip, np.nan), "1 of 43200 samples are NaN or infinite.* 0.20 s"),
        (lambda clip: damaged(clip, np.inf), "1 of 43200 samples are NaN or infinite"),
        (lambda clip: 0 * clip, r"silent: its 2\.70 s"),
        (lambda clip: 0 * clip + 0.25, "silent"),
        (lambda clip: clip * 1e-4, "silent"),
        (lambda clip: clip[:0], r"too short: at least 25 ms is needed.*0 sample"),
        (lambda clip: clip[:1], r"too short.*1 sample\(s\), 0.1 ms"),
        (lambda clip: clip[:399], "too short.*24.9 ms"),
    ],
)
def test_invalid_samples(tmp_path, clip, make, message):
    path = write(tmp_path / "clip.wav", make(clip), coding="FLOAT")
    with pytest.raises(ZooError, match=message) as error:
        read_audio(path, RATE)
    assert str(error.value).startswith(f"{path}: ")


def test_too_long(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 3601 * 1000)
    path = write(tmp_path / "long.wav", noise, 1000, coding="PCM_U8")
    for read in (lambda: read_audio(path, RATE), lambda: audio_seconds(path)):
        with pytest.raises(
            ZooError, match=r"long.wav: too long: .* at most 3600 s.*Received: 3601 s"
        ):
            read()
    assert sum(map(len, read_blocks(path, 1000))) == 3601 * 1000


@pytest.mark.parametrize("coding", ["PCM_16", "MPEG_LAYER_III"])
@pytest.mark.parametrize("rate", [RATE, 8000, 44100])
def test_blocks(tmp_path, clip, rate, coding):
    """Blocks of any size are the whole recording, at its own rate and resampled."""
    container = "MP3" if coding == "MPEG_LAYER_III" else "WAV"
    path = write(tmp_path / "clip", clip, container=container, coding=coding)
    whole = read_audio(path, rate)
    for block in (1000, 7777, len(clip)):
        blocks = list(read_blocks(path, rate, block=block))
        assert all(0 < len(part) <= (block + 4096) * rate / RATE for part in blocks)
        atol = 1e-7 if container == "MP3" else 0  # its decoder rounds by block
        np.testing.assert_allclose(np.concatenate(blocks), whole, rtol=0, atol=atol)
    if rate != RATE and container == "WAV":
        np.testing.assert_array_equal(whole, soxr.resample(clip, RATE, rate))


def test_memory_with_a_long_file(tmp_path):
    """Five minutes of four channels have 77 MB; blocks of a second need a hundredth."""
    noise = np.random.default_rng(0).integers(-9000, 9000, (RATE, 4), np.int16)
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 4, "PCM_16") as file:
        for _ in range(300):
            file.write(noise)
    tracemalloc.start()
    samples = sum(len(part) for part in read_blocks(path, RATE, block=RATE))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert samples == 300 * RATE
    assert peak < 2_000_000


def test_errors_after_the_last_block(tmp_path, clip):
    """Errors of the whole recording are raised after its last valid block."""
    path = write(tmp_path / "clip.wav", damaged(clip, np.nan), coding="FLOAT")
    blocks = read_blocks(path, RATE, block=1000)
    got = [next(blocks) for _ in range(3)]  # the fourth is invalid
    np.testing.assert_array_equal(np.concatenate(got), clip[:3000])
    with pytest.raises(ZooError, match=r"1 of 43200 samples are NaN or infinite.* 0\.20 s"):
        next(blocks)


def test_closing_the_blocks_closes_the_file(tmp_path, clip):
    path = write(tmp_path / "clip.mp3", clip, container="MP3", coding="MPEG_LAYER_III")
    before = len(os.listdir("/proc/self/fd"))
    blocks = read_blocks(path, RATE, block=1000)
    next(blocks)
    os.write(2, b"")  # standard error is open between two blocks
    blocks.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_silence(tmp_path, clip):
    path = write(tmp_path / "silent.wav", 0 * clip)
    with pytest.raises(ZooError, match="silent"):
        read_audio(path, RATE)
    np.testing.assert_array_equal(read_audio(path, RATE, allow_silence=True), 0 * clip)
    assert sum(map(len, read_blocks(path, RATE, allow_silence=True))) == len(clip)
    check_waveform(0 * clip, RATE, "clip", allow_silence=True)


def test_minimum_duration(tmp_path, clip):
    path = write(tmp_path / "clip.wav", clip[8000:9000])
    assert len(read_audio(path, RATE)) == 1000
    with pytest.raises(ZooError, match=r"too short: at least 128 ms.*1000 sample\(s\), 62\.5 ms"):
        read_audio(path, RATE, min_seconds=0.128)
    short = write(tmp_path / "short.wav", clip[8000:8010])
    assert len(read_audio(short, RATE, min_seconds=0)) == 10
    with pytest.raises(ZooError, match=r"too short.*0 sample\(s\)"):
        read_audio(write(tmp_path / "none.wav", clip[:0]), RATE, min_seconds=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty: 0 bytes"),
        (
            b"RUBOUT G M E F\nTHREE NINE\n",
            "not audio .*WAV, FLAC.*text, 'RUBOUT G M E F THREE NINE'",
        ),
        ("Élève à côté".encode(), "not audio .*text, 'Élève"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not audio .*bytes 89 50 4e 47"),
        (b"ID3 is how an MP3 may begin", "not audio"),
        (bytes(1000), "not audio"),
        (b"RIFF\x24\x00\x00\x00WAVE", "truncated, corrupt or of an unknown coding"),
        (b"fLaC\x00\x00\x00\x22" + bytes(20), "truncated, corrupt or of an unknown coding"),
    ],
)
def test_not_audio(tmp_path, capfd, content, message):
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    for source, name in ((path, str(path)), (content, "audio bytes")):
        with pytest.raises(ZooError, match=message) as error:
            read_audio(source, RATE)
        assert str(error.value).startswith(f"{name}: ")
    with pytest.raises(ZooError, match=message):
        audio_seconds(path)
    assert capfd.readouterr() == ("", "")


def test_unsupported_types(tmp_path, clip):
    path = write(tmp_path / "clip.mat", clip, container="MAT5")
    with pytest.raises(ZooError, match=r"clip\.mat: not audio of a supported type"):
        read_audio(path, RATE)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ZooError, match=r"nothing\.wav: no such file"):
        read_audio(tmp_path / "nothing.wav", RATE)
    with pytest.raises(ZooError, match=r"it must be an audio file\. Received: a folder"):
        read_audio(tmp_path, RATE)
    with pytest.raises(ZooError, match="cannot be opened: File name too long"):
        read_audio(tmp_path / ("a" * 300), RATE)


def test_flac_without_a_length(tmp_path, clip):
    data = bytearray(write(tmp_path / "clip.flac", clip, container="FLAC").read_bytes())
    data[21] &= 0xF0  # the 36 bits of the count of samples in STREAMINFO
    data[22:26] = bytes(4)
    with pytest.raises(ZooError, match="its header does not state a length"):
        read_audio(bytes(data), RATE)


def test_check_waveform(clip):
    check_waveform(clip, RATE, "clip")
    with pytest.raises(
        ZooError, match=r"clip: a waveform must have one axis.*Received: \(1, 43200\)"
    ):
        check_waveform(clip[None], RATE, "clip")


def test_mp3_in_threads(tmp_path, clip, capfd):
    """The MP3 decoder is run with standard error redirected, and restored afterwards."""
    path = write(tmp_path / "clip.mp3", clip, container="MP3", coding="MPEG_LAYER_III")
    with ThreadPoolExecutor(8) as pool:
        waveforms = list(pool.map(lambda _: read_audio(path, RATE), range(24)))
    for waveform in waveforms:
        np.testing.assert_array_equal(waveform, waveforms[0])
    os.write(2, b"printed")
    assert capfd.readouterr().err == "printed"


# Files that decoders truncate without an error ----------------------------------------------------


def mp3_frames(data):
    """Return the bytes of each frame."""
    frames, begin = [], 0
    while begin < len(data) and (frame := parse_header(data[begin : begin + 4])):
        frames.append(data[begin : begin + frame.size])
        begin += frame.size
    return frames


@pytest.fixture(scope="module")
def variable(tmp_path_factory, clip):
    """Return an MP3 with a variable bit rate. It begins with noise, in large frames."""
    path = tmp_path_factory.mktemp("mp3") / "clip.mp3"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE // 2).astype(np.float32)
    sound = np.concatenate([noise, clip])
    how = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}
    with soundfile.SoundFile(path, "w", RATE, 1, "MPEG_LAYER_III", format="MP3", **how) as file:
        file.write(sound)
    first, *frames = mp3_frames(path.read_bytes())
    assert b"Xing" in first
    assert len({len(frame) for frame in frames}) > 2
    return sound, read_audio(path, RATE), frames


def test_an_mp3_without_a_length(variable):
    """libsndfile alone would use the bit rate of the first frame for all frames."""
    sound, complete, frames = variable
    estimated = len(soundfile.read(io.BytesIO(b"".join(frames)))[0])
    assert len(sound) - estimated > RATE
    for content in (b"".join(frames), b"ID3\4\0\0\0\0\1\0" + bytes(128) + b"".join(frames)):
        read = read_audio(content, RATE)
        assert 0 <= len(read) - len(sound) < 3 * 1152  # what an encoder adds at both ends
        shift = lag(read, complete)
        assert signal_to_noise(read[shift : shift + len(complete)], complete) > 40
    with_tag = b"".join(frames) + b"TAG" + bytes(125)
    np.testing.assert_array_equal(read_audio(with_tag, RATE), read)


def test_an_incomplete_frame_of_an_mp3(variable):
    with pytest.raises(ZooError, match="truncated: 10 bytes of its last frame are missing"):
        read_audio(b"".join(variable[2])[:-10], RATE)


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
def test_single_wrong_bits_in_an_ogg(tmp_path, clip, kind):
    whole = write(tmp_path / "clip.ogg", clip, container="OGG", coding=kind).read_bytes()
    read_audio(whole, RATE)
    for offset in np.linspace(0, len(whole) - 1, 150).astype(int):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << (offset % 8)
        with pytest.raises(ZooError, match=r"damaged|truncated|not audio"):
            read_audio(bytes(damaged), RATE)


def test_missing_pages_of_an_ogg(tmp_path, clip):
    whole = write(
        tmp_path / "clip.ogg", np.tile(clip, 3), container="OGG", coding="VORBIS"
    ).read_bytes()
    begins = [offset for offset in range(len(whole)) if whole.startswith(b"OggS\0", offset)]
    assert len(begins) > 4
    with pytest.raises(ZooError, match=r"pages before byte .* are missing"):
        read_audio(whole[: begins[3]] + whole[begins[4] :], RATE)
    with pytest.raises(ZooError, match="its last page is missing"):
        read_audio(whole[: begins[-1]], RATE)
    chained = read_audio(whole, RATE)
    assert len(chained) == 3 * len(clip)


@pytest.mark.parametrize("peak", [1e19, 32768.0, 11.0])
def test_too_loud(tmp_path, clip, peak):
    path = write(tmp_path / "clip.wav", clip / np.abs(clip).max() * peak, coding="FLOAT")
    with pytest.raises(ZooError, match=rf"too loud.*a peak of {peak:.3g}".replace("+", r"\+")):
        read_audio(path, RATE)
    read_audio(write(tmp_path / "loud.wav", clip * 9, coding="FLOAT"), RATE)


@pytest.mark.parametrize(("rate", "channels"), [(100, 1), (RATE, 1000)])
def test_memory_with_many_channels_or_a_low_rate(tmp_path, rate, channels):
    """A block of 2**18 frames would have 1 GB."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (20_000, channels)).astype(np.float32)
    path = write(tmp_path / "clip.wav", noise, rate, coding="PCM_U8")
    del noise
    tracemalloc.start()
    next(read_blocks(path, RATE))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


# Waveforms ----------------------------------------------------------------------------------------


def test_waveforms(clip):
    """float and int16, one and several channels, at any rate, are read as files are."""
    as_int16 = (clip * 32768).astype(np.int16)
    for samples in (clip, clip.astype(np.float64), as_int16, np.stack([clip, clip], axis=1)):
        read = read_audio((samples, RATE), RATE)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, clip)
    np.testing.assert_array_equal(read_audio((clip, RATE), 8000), soxr.resample(clip, RATE, 8000))
    assert recording_seconds((clip, RATE)) == len(clip) / RATE
    blocks = list(read_blocks((clip, RATE), RATE, block=1000))
    assert [len(block) for block in blocks] == [1000] * 43 + [200]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ((np.zeros(400), RATE), "waveform: silent"),
        ((np.ones(10), RATE), "waveform: too short"),
        ((np.full(400, np.nan), RATE), "400 of 400 samples are NaN"),
        ((np.ones(400, np.int32), RATE), r"must be float or int16\. Received: int32"),
        ((np.ones((2, 2, 400)), RATE), r"shape \[samples\] or .* Received: \[2, 2, 400\]"),
        ((np.ones((400, 0)), RATE), r"Received: \[400, 0\]"),
        ((np.ones(400), 0), "sample rate of a waveform must be at least 1"),
        ((np.ones(400), "16000"), r"integer sample rate .* Received: \(ndarray, str\)"),
        ((np.ones(400),), r"must be \(array, sample_rate\).* Received: \(ndarray\)"),
    ],
)
def test_invalid_waveforms(source, message):
    with pytest.raises(ZooError, match=message):
        read_audio(source, RATE)
