"""The baselines of skeletons and videos."""

import json

import numpy as np
import pytest

import zoo
from zoo.vision_language.motion.baselines import frame_differences, optical_flow, statistics
from zoo.vision_language.motion.corpora.video_shapes import render
from zoo.vision_language.motion.skeletons import waving

RECIPE = "vision_language/lstm-msr-action3d"


def of(joints):
    inputs = {"joints": joints.reshape(1, len(joints), -1), "lengths": np.array([len(joints)])}
    return statistics(inputs)[0]


def test_place_and_size_have_no_effect():
    joints = waving(20)
    np.testing.assert_allclose(of(3 * joints + [1, 2, 3]), of(joints), atol=1e-5)
    assert np.isfinite(of(joints[:1])).all()
    assert np.isfinite(of(0 * joints)).all()


def test_padding_has_no_effect():
    joints = waving(20).reshape(1, 20, -1)
    padded = np.pad(joints, ((0, 0), (0, 5), (0, 0)), constant_values=7)
    np.testing.assert_array_equal(
        statistics({"joints": padded, "lengths": np.array([20])}), of(waving(20))[None]
    )


def test_speeds_are_separated(run_zoo, tmp_path):
    rows = [
        {"action": action, "subject": f"{n}", "joints": waving(20 + n, speed).tolist()}
        for n in range(10)
        for action, speed in (("slow", 0.5), ("fast", 2.0))
    ]
    path = tmp_path / "movements.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = run_zoo("baseline", RECIPE, "--manifest", path, "--json").json
    assert answer["metrics"] == {"accuracy": 1.0, "f1_macro": 1.0, "auc": 1.0}
    assert "f1_macro" in answer["intervals"]


def blob(x=16.0, y=16.0, width=6.0, height=6.0, turn=0.0):
    """Return an RGB image [32, 32, 3] of a bright ellipse."""
    row, column = np.indices((32, 32))
    a, b = column - x, row - y
    a, b = a * np.cos(turn) + b * np.sin(turn), b * np.cos(turn) - a * np.sin(turn)
    grey = 200 * np.exp(-((a / width) ** 2) - (b / height) ** 2)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        (0, {"x": 15}, {"x": 16}),
        (1, {"y": 15}, {"y": 16}),
        (2, {"width": 5, "height": 5}, {"width": 6, "height": 6}),
        (3, {"width": 9, "turn": 0.2}, {"width": 9, "turn": 0.4}),
    ],
)
def test_flow_has_the_sign_of_the_movement(column, first, second):
    forward = optical_flow(np.stack([blob(**first), blob(**second)]))[0]
    back = optical_flow(np.stack([blob(**second), blob(**first)]))[0]
    assert forward[column] > 0 > back[column]
    expected = [1, 1, np.log(6 / 5), 0.2][column]
    assert forward[column] == pytest.approx(expected, rel=0.25)


def test_clips_of_one_frame_and_without_movement():
    images = np.stack([blob()] * 3)[np.newaxis]
    for length in (1, 3):
        values = frame_differences({"images": images, "lengths": np.array([length])})
        np.testing.assert_array_equal(values, 0)


def test_moving_shapes(tmp_path):
    render(tmp_path, {"train": 6, "test": 1})
    result = zoo.baseline("vision_language/lrcn-video-shapes", data=tmp_path)
    assert result.baseline.endswith("on statistics of differences of frames")
    assert result.metrics["accuracy"] > 0.4  # there are nine classes
