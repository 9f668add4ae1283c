"""Tests of the features of strokes: normalization, resampling, distortion, hand-computed values."""

import numpy as np
import pytest

from tests.vision_language.handwriting.letters import draw_word
from zoo.common.core.errors import ZooError
from zoo.vision_language.handwriting.ink import join_strokes, parse_ink
from zoo.vision_language.handwriting.stroke_features import (
    FEATURES,
    Distortion,
    distort,
    normalize,
    preprocess,
    resample,
    stroke_features,
)

NONE = Distortion(0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("points", [2, 3, 40])
def test_normalized_ink_has_the_same_size_and_position(points):
    """The heights along an upright line have the standard deviation length / sqrt(12)."""
    upright = np.stack([np.full(points, 5.0), np.linspace(2, 8, points)], axis=1)
    (line,) = normalize([upright])
    half = np.sqrt(12) / 2
    np.testing.assert_allclose(line[[0, -1]], [[0, -half], [0, half]])


def test_size_and_position_on_the_page_have_no_effect():
    word = parse_ink({"strokes": draw_word("lot")})
    moved = word * (7, 7, 1) + (300, -20, 0)
    for one, other in zip(preprocess(word, 0.3), preprocess(moved, 0.3), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize(
    "strokes",
    [
        [np.array([[0.0, 0.0], [100.0, 0.0]])],  # a dash
        [np.array([[0.0, 0.0]]), np.array([[9.0, 0.0]])],  # two dots
        [np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 2.0]])],
        [np.array([[0.0, 0.0], [1e-12, 0.0]])],
    ],
)
def test_ink_without_height_has_finite_features(strokes):
    features = stroke_features(
        preprocess(parse_ink({"points": join_strokes(strokes).tolist()}), 0.3)
    )
    assert np.isfinite(features).all()
    assert len(features) >= len(strokes)


def test_resampled_points_are_at_equal_distances():
    corner = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 1.0]])
    (line,) = resample([corner], 0.5)
    assert line.tolist() == [[x / 2, 0] for x in range(7)] + [[3, 0.5], [3, 1]]
    (dot,) = resample([np.array([[1.0, 2.0], [1.1, 2.0]])], 0.5)
    assert dot.tolist() == [[1, 2]]


def test_features_of_a_corner_a_jump_and_a_dot():
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    features = stroke_features([corner, np.array([[3.0, -1.0]])])
    assert FEATURES == (
        "jump_x", "jump_y", "in_air", "height", "cos", "sin", "turn_cos", "turn_sin",
    )  # fmt: skip
    diagonal = np.sqrt(0.5)
    expected = [
        [0, 0, 0, 0, 1, 0, 1, 0],
        [0, 0, 0, 0, diagonal, diagonal, 0, 1],
        [0, 0, 0, 1, 0, 1, 1, 0],
        [2, -2, 1, -1, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(features, expected, atol=1e-7)
    assert features.dtype == np.float32


def test_ink_with_too_many_points_is_an_error():
    zigzag = [[[x, 100 * (x % 2)] for x in range(3000)]]
    with pytest.raises(ZooError, match="at most 5,000 resampled points"):
        preprocess(parse_ink({"strokes": zigzag}), 0.3)


def test_distortion_depends_on_the_generator():
    strokes = preprocess(parse_ink({"strokes": draw_word("til")}), 0.3)
    first = distort(strokes, Distortion(), np.random.default_rng(3))
    again = distort(strokes, Distortion(), np.random.default_rng(3))
    other = distort(strokes, Distortion(), np.random.default_rng(4))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0][:3], other[0][:3])
    for one, two in zip(strokes, distort(strokes, NONE, np.random.default_rng(0)), strict=True):
        np.testing.assert_allclose(one, two)


@pytest.mark.parametrize(
    ("distortion", "corner"),
    [
        (Distortion(90, 0, 0, 0, 0, 0), None),
        (Distortion(0, 0.5, 0, 0, 0, 0), "shear"),
        (Distortion(0, 0, 0.5, 0, 0, 0), "stretch"),
        (Distortion(0, 0, 0, 0.5, 0, 0), "size"),
    ],
)
def test_each_distortion_has_its_effect(distortion, corner):
    square = np.array([[1.0, 0.0], [0.0, 1.0]])  # the images of x and of y
    (matrix,) = distort([square], distortion, np.random.default_rng(1))
    draw = np.random.default_rng(1).uniform(-1, 1, 4)
    expected = {
        None: [
            [np.cos(draw[0] * np.pi / 2), np.sin(draw[0] * np.pi / 2)],
            [-np.sin(draw[0] * np.pi / 2), np.cos(draw[0] * np.pi / 2)],
        ],
        "shear": [[1, 0], [draw[1] / 2, 1]],
        "stretch": [[np.exp(draw[2] / 2), 0], [0, 1]],
        "size": np.exp(draw[3] / 2) * np.eye(2),
    }[corner]
    np.testing.assert_allclose(matrix, expected, atol=1e-12)


def test_dropped_points_are_inside_strokes():
    stroke = np.stack([np.arange(1000.0), np.zeros(1000)], axis=1)
    (changed,) = distort([stroke], Distortion(0, 0, 0, 0, 0, 0.25), np.random.default_rng(0))
    assert changed[0].tolist() == [0, 0]
    assert changed[-1].tolist() == [999, 0]
    assert 700 < len(changed) < 800


@pytest.mark.parametrize("name", ["rotation", "shear", "stretch", "size", "jitter", "drop"])
def test_settings_are_checked(name):
    with pytest.raises(ZooError, match=rf"data.distortion.{name} must be at least 0"):
        Distortion(**{name: -0.1})
