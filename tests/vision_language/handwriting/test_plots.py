"""The picture of a word: every point has the colour of a letter, and the file is a PNG."""

import json

import numpy as np

from zoo.common.ctc.alignment import Alignment
from zoo.vision_language.handwriting.data import loops
from zoo.vision_language.handwriting.plots import _letter_of_points


def test_plot(run_zoo, tmp_path):
    (tmp_path / "loops.json").write_text(json.dumps({"points": loops(4).tolist()}))
    out = tmp_path / "loops.png"
    preset = "vision_language/blstm-ctc-gw-online"
    answer = run_zoo("plot", preset, tmp_path / "loops.json", "--out", out)
    assert (answer.status, answer.out) == (0, f"{out}\n")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_letters_of_points():
    path = Alignment(np.array([0, 3]), np.array([1, 3]), np.array([0, 3]), 0.0)
    letters = _letter_of_points(path, 2 * np.arange(6), 10)
    assert letters.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    nothing = Alignment(*[np.zeros(0, int)] * 3, 0.0)
    assert _letter_of_points(nothing, 2 * np.arange(6), 3).tolist() == [-1, -1, -1]
