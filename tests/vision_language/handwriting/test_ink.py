"""Tests of ink: both forms of JSON, arrays, and invalid inputs."""

import json

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.vision_language.handwriting.ink import parse_ink, read_ink, split_strokes

POINTS = [[0, 0, 0], [10, 5, 1], [20, 0, 0], [30, 7.5, 0]]
STROKES = [[[0, 0], [10, 5]], [[20, 0], [30, 7.5]]]


def test_points_and_strokes_give_equal_ink():
    expected = [[0, 0, 0], [10, 5, 1], [20, 0, 0], [30, 7.5, 1]]
    assert parse_ink({"points": POINTS}).tolist() == expected
    assert parse_ink({"strokes": [*STROKES, []]}).tolist() == expected
    first, second = split_strokes(parse_ink({"points": POINTS}))
    assert [first.tolist(), second.tolist()] == STROKES


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, 'a list under the key "points" or "strokes"'),
        ({"strokes": "no"}, 'a list under the key "points" or "strokes"'),
        ({"points": []}, "at least 2 points. Received: 0"),
        ({"strokes": []}, "at least 2 points. Received: 0"),
        ({"strokes": [[], []]}, "at least 2 points. Received: 0"),
        ({"points": [[1, 2, 0]]}, "at least 2 points. Received: 1"),
        (
            {"points": [[1, 2, 0], [1, 2, 1], [1, 2, 0]]},
            "two different points. Received: 3",
        ),
        ({"points": [[1, 2, 0], [float("nan"), 2, 0]]}, "must have finite numbers"),
        ({"points": [[1, 2, 0], [float("inf"), 2, 0]]}, "must have finite numbers"),
        ({"points": [[1, 2, 0], [1e300, 2, 0]]}, "at most 10,000,000"),
        ({"points": [[1, 2, 0], [10**400, 2, 0]]}, "must be a list of [x, y, pen_up]"),
        ({"points": [[1, 2], [3, 4]]}, "must be a list of [x, y, pen_up]"),
        ({"points": [[1, 2, 0], [3, 4]]}, "must be a list of [x, y, pen_up]"),
        ({"points": [["1", 2, 0], [3, 4, 0]]}, "must be a list of [x, y, pen_up]"),
        ({"points": [[None, 2, 0], [3, 4, 0]]}, "must be a list of [x, y, pen_up]"),
        ({"points": {"x": 1}}, "must be a list of [x, y, pen_up]"),
        ({"points": 3}, "must be a list of [x, y, pen_up]"),
        ({"points": [1, 2, 3]}, "must be a list of [x, y, pen_up]"),
        ({"points": [[1, 2, 0], [3, 4, 2]]}, "pen_up must be 0 or 1"),
        ({"strokes": [[[1, 2], [3, 4]], [[1, 2, 3]]]}, "strokes[1] must be a list of [x, y]"),
    ],
)
def test_invalid_ink_is_an_error_of_one_line(content, error, tmp_path):
    path = tmp_path / "ink.json"
    with pytest.raises(ZooError) as by_parser:
        parse_ink(content)
    assert error in str(by_parser.value)
    path.write_text(json.dumps(content))
    with pytest.raises(ZooError) as by_reader:
        read_ink(path)
    assert str(by_reader.value) == f"{path}: {by_parser.value}"
    assert "\n" not in str(by_reader.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
        ("[[0, 0, 0], [1, 1, 1]]", "the file must be a JSON object"),
        (" ", "is empty"),
    ],
)
def test_an_invalid_json_object_is_an_error(text, error, tmp_path):
    path = tmp_path / "ink.json"
    path.write_text(text)
    with pytest.raises(ZooError, match=error):
        read_ink(path)
    with pytest.raises(ZooError, match="is missing"):
        read_ink(tmp_path / "none.json")


def test_ink_is_read_from_files_and_arrays(tmp_path):
    path = tmp_path / "ink.json"
    path.write_text(json.dumps({"strokes": STROKES}, indent=1))
    np.testing.assert_array_equal(read_ink(path), parse_ink({"points": POINTS}))
    np.testing.assert_array_equal(read_ink(np.array(POINTS)), parse_ink({"points": POINTS}))
    with pytest.raises(ZooError, match=r"points must be a list of \[x, y, pen_up\]"):
        read_ink(np.zeros((3, 2)))
