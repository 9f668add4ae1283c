"""Tests of videos: drawn clips, sampled frames, invalid files, the model and its answers."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import settings
from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.splits import split_by_group
from zoo.vision_language.motion import video_files
from zoo.vision_language.motion.corpora.video_shapes import VIDEO_SHAPES, render
from zoo.vision_language.motion.moving_shapes import MOTIONS, SIDE, _path, draw_clip, write_clip
from zoo.vision_language.motion.video_clip import VideoClip
from zoo.vision_language.motion.video_files import read_video
from zoo.vision_language.motion.videos import PictureChanges

RECIPE = "vision_language/lrcn-video-shapes"
CLOCK = Fraction(1, 100)
TINY = {
    "data.size": 8,
    "model.size": 8,
    "model.channels": "4,4",
    "model.projection_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 2,
}


def grey(level: int, side: int = 32) -> np.ndarray:
    return np.full((side, side, 3), level, np.uint8)


def write(path: Path, levels, side: int = 32, rate: int = 8, times=None, **options) -> Path:
    """Write a video of grey frames; `times` in 1/100 s for a variable frame rate."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        if times:
            stream.codec_context.time_base = CLOCK
        for number, level in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(grey(level, side), format="rgb24")
            if times:
                frame.pts, frame.time_base = times[number], CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("video_shapes")
    render(folder, {"train": 2, "test": 1})
    return folder


@pytest.fixture
def recipe():
    return entry(RECIPE).recipe().override(TINY)


def test_harness(recipe, corpus, tmp_path, formats):
    check_model(recipe, VIDEO_SHAPES.read(corpus, "train")[:2], tmp_path / "tiny", formats)


# Drawing


def test_the_corpus_depends_on_its_seeds(corpus, tmp_path):
    train, test = (VIDEO_SHAPES.read(corpus, split) for split in ("train", "test"))
    assert [e.label for e in train] == [*MOTIONS, *MOTIONS]
    assert [e.label for e in test] == list(MOTIONS)
    assert len({e.path.read_bytes() for e in train + test}) == 27
    render(tmp_path, {"train": 1})
    for again in VIDEO_SHAPES.read(tmp_path, "train"):
        one, other = (read_video(p, 8, 32) for p in (again.path, corpus / again.id))
        # The encoder is not deterministic.
        assert np.abs(one[0].astype(int) - other[0]).mean() < 3


def test_a_shape_moves_according_to_its_class():
    """Check steps on the torus of the picture, with y downwards, and the growth of the radius."""
    times = np.arange(24) / 12
    for motion in MOTIONS:
        centres, radii = _path(motion, times, np.random.default_rng(3))
        steps = (np.diff(centres, axis=0) + 0.5) % 1 - 0.5
        turns = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
        growth = np.median(np.diff(radii))
        expected = {
            "left": steps[:, 0].max() < 0, "right": steps[:, 0].min() > 0,
            "up": steps[:, 1].max() < 0, "down": steps[:, 1].min() > 0,
            "clockwise": turns.min() > 0, "counter-clockwise": turns.max() < 0,
            "grow": growth > 0, "shrink": growth < 0,
            "bounce": (steps[:-1] * steps[1:]).sum(axis=1).min() < 0,
        }  # fmt: skip
        assert expected[motion], motion
        assert (growth == 0) == (motion not in ("grow", "shrink"))
        assert (centres >= 0).all()
        assert (centres <= 1).all()


def test_a_drawn_clip_is_read_back(tmp_path):
    frames, rate = draw_clip("left", np.random.default_rng(0))
    assert frames.shape[1:] == (SIDE, SIDE, 3)
    write_clip(tmp_path / "left.mp4", frames, rate)
    read, times = read_video(tmp_path / "left.mp4", rate, SIDE)
    assert len(read) == len(frames) == len(times) - 1
    error = np.abs(read.astype(float) - frames)
    assert error.mean() < 12  # the error of H.264 and of colours at half the resolution


# Reading


def test_frames_are_selected_by_their_times(tmp_path):
    """Half the rate selects every second frame; a variable rate selects the frame that is shown."""
    path = write(tmp_path / "even.mp4", range(20, 220, 10))
    frames, times = read_video(path, 4, 8)
    np.testing.assert_allclose(frames[:, 0, 0, 0], np.arange(20, 220, 20), atol=4)
    np.testing.assert_allclose(times, np.arange(11) / 4)
    frames, _ = read_video(path, 16, 8)
    np.testing.assert_allclose(frames[:, 0, 0, 0], np.repeat(np.arange(20, 220, 10), 2), atol=4)

    path = write(tmp_path / "variable.mp4", [40, 80, 120, 160], times=[0, 10, 60, 100], rate=100)
    frames, _ = read_video(path, 5, 8)
    np.testing.assert_allclose(frames[:6, 0, 0, 0], [40, 80, 80, 120, 120, 160], atol=4)


def test_an_array_is_sampled_like_a_file(tmp_path, recipe):
    levels = range(20, 220, 10)
    path = write(tmp_path / "even.mp4", levels)
    frames = np.stack([grey(level) for level in levels])
    data = recipe.data
    expected = data.read_input(str(path), recipe.model)
    for rate in (8, 16, 4):
        item = data.read_input((frames, rate), recipe.model)
        assert item["times"].tolist() == (np.arange(20 * 8 // rate + 1) / 8).tolist()
    item = data.read_input((frames, 8), recipe.model)
    np.testing.assert_allclose(item["images"], expected["images"], atol=4)
    with pytest.raises(ZooError, match=r"uint8 \[time, height, width, 3\]. Received: float64"):
        data.read_input((frames / 255, 8), recipe.model)
    with pytest.raises(ZooError, match=r"path or \(frames, frames per second\). Received: ndarray"):
        data.read_input(frames, recipe.model)


def test_the_rotation_of_a_file_is_applied(tmp_path):
    """The header of a file, for example from a phone, may have a rotation by 90 degrees."""
    path = tmp_path / "turned.mp4"
    picture = grey(30)
    picture[:16, :16] = 220
    write_clip(path, np.stack([picture] * 4), 8)
    content = path.read_bytes()
    at = content.index(b"tkhd") + 44
    one, minus = (1 << 16).to_bytes(4, "big"), (2**32 - (1 << 16)).to_bytes(4, "big")
    zero = bytes(4)
    # Rows become columns: 90 degrees clockwise.
    matrix = [zero, one, zero, minus, zero, zero, zero, zero, (1 << 30).to_bytes(4, "big")]
    path.write_bytes(content[:at] + b"".join(matrix) + content[at + 36 :])
    frames, _ = read_video(path, 8, 8)
    corners = frames[0, [1, 1, 6, 6], [1, 6, 1, 6], 0] > 120
    assert corners.tolist() == [False, True, False, False]


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("Not a video.\n" * 9)


def playlist(path):
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n")


def headless(path):
    content = write(path, range(24)).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def truncated(path):
    content = write(path, range(24), movflags="faststart").read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 8])


def sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "f4"), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def changing(path):
    parts = [write(path.with_suffix(f".{side}.ts"), range(8), side) for side in (32, 48)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (empty, "is empty"),
        (text, "not a supported video file, or damaged"),
        (playlist, "not a supported video file, or damaged"),
        (headless, "not a supported video file, or damaged"),
        (truncated, "damaged"),
        (sound, "the file must have a video stream"),
        (changing, "the size of the frames must not change. Received: 32 x 32 and 48 x 48"),
        (lambda path: None, "is missing"),
    ],
)
def test_an_invalid_file_is_an_error_of_one_line(tmp_path, make, message):
    path = tmp_path / "bad.mp4"
    make(path)
    with pytest.raises(ZooError, match=message) as error:
        read_video(path, 8, 8)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_limits_of_size_and_duration(tmp_path, monkeypatch):
    path = write(tmp_path / "long.mp4", range(40))
    monkeypatch.setattr(video_files, "MAX_SECONDS", 3.0)
    with pytest.raises(ZooError, match="a video must have at most 3 seconds"):
        read_video(path, 8, 8)
    monkeypatch.setattr(video_files, "MAX_PIXELS", 1000)
    with pytest.raises(
        ZooError, match=r"a frame must have at most 1,000 pixels. Received: 32 x 32"
    ):
        read_video(path, 8, 8)


def test_without_pyav_the_error_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4", range(4))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ZooError, match=r"pip install 'recurrent-zoo\[video\]'"):
        read_video(path, 8, 8)


def test_damaged_bytes_give_frames_or_an_error_of_one_line(corpus, tmp_path):
    content = VIDEO_SHAPES.read(corpus, "test")[0].path.read_bytes()
    generator, path, errors = np.random.default_rng(0), tmp_path / "damaged.mp4", []
    for _ in range(30):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[generator.integers(0, len(damaged), 6)] ^= 0xFF
        path.write_bytes(damaged.tobytes())
        try:
            frames, times = read_video(path, 8, 8)
        except ZooError as error:
            errors.append(str(error))
        else:
            assert len(frames) == len(times) - 1 >= 1
    assert errors
    assert not [line for line in errors if "\n" in line]


# Data


def test_changes_are_equal_in_all_frames(recipe):
    frames = np.random.default_rng(0).uniform(60, 190, (3, 8, 8, 3)).astype(np.float32)
    data = recipe.override({"data.changes.contrast": 0, "data.changes.brightness": 0}).data
    moved = data.augment(frames, np.random.default_rng(1))
    shifts = [(i, j) for i in range(8) for j in range(8)]
    same = [s for s in shifts if np.allclose(np.roll(frames, s, axis=(1, 2)), moved)]
    assert len(same) == 1
    changed = recipe.data.augment(frames, np.random.default_rng(1))
    assert changed.dtype == np.float32
    assert 0 <= changed.min() < changed.max() <= 255
    assert PictureChanges(shift=0).shift == 0


def test_dev_has_whole_groups(recipe):
    clips = [VideoClip(f"{i}", "left", Path("x"), group=f"g{i // 2}") for i in range(8)]
    train, dev = split_by_group(clips, recipe.data.group_of, 0.25, seed=0)
    assert not {e.group for e in train} & {e.group for e in dev}


def test_a_missing_file_in_a_list_is_an_error(tmp_path, recipe):
    path = tmp_path / "clips.jsonl"
    path.write_text('{"video": "none.mp4", "label": "left"}')
    with pytest.raises(ZooError, match=r"line 1: the file 'none.mp4' is missing"):
        recipe.data.read_manifest(path)


@pytest.mark.slow
def test_from_the_command_line(run_zoo, tmp_path):
    """Overfit a manifest, predict a folder with an invalid file, and plot."""
    manifest, run = tmp_path / "clips.jsonl", tmp_path / "run"
    clips = tmp_path / "clips"
    clips.mkdir()
    rows = []
    for name, levels in (("dark", range(20, 60, 4)), ("light", range(250, 170, -8))):
        write(clips / f"{name}.mp4", levels)
        rows.append({"video": f"clips/{name}.mp4", "label": name})
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    small = settings(
        "data.size=8", "model.channels=4", "model.projection_size=8", "model.hidden_size=8",
        "model.dropout=0", "optimizer.learning_rate=0.03", "training.epochs=10",
        "data.changes.brightness=0", "data.changes.contrast=0",
    )  # fmt: skip
    answer = run_zoo(
        "train", RECIPE, "--manifest", manifest, "--overfit", 2, "--out", run, *small, "--json"
    )
    assert answer.status == 0, answer.err
    assert answer.json["best"]["accuracy"] == 1

    text(clips / "bad.mp4")
    answer = run_zoo("predict", run, clips, "--json")
    assert answer.status == 1
    bad, dark, light = answer.json["predictions"]
    assert "not a supported video" in bad["error"]
    assert (dark["output"], light["output"]) == ("dark", "light")
    assert dark["seconds"] == 1.25
    assert dark["frames"][0]["begin"] == 0
    assert dark["frames"][-1]["end"] == 1.25

    picture = tmp_path / "dark.png"
    answer = run_zoo("plot", run, clips / "dark.mp4", "--out", picture)
    assert answer.status == 0, answer.err
    assert picture.read_bytes().startswith(b"\x89PNG")
