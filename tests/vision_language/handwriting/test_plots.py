"""Tests of the plots of recognized words and of generated drawings."""

import json

import numpy as np
from PIL import Image

from zoo.common.ctc.alignment import Alignment
from zoo.vision_language.handwriting.data import loops
from zoo.vision_language.handwriting.plots import _letter_of_points, plot_drawings


def test_plot_of_a_word(run_zoo, tmp_path):
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


def test_plot_of_drawings(tmp_path):
    points = np.array([[0.0, 0, 0], [0, 60, 1], [30, 30, 1]])
    plot_drawings([points] * 3, tmp_path / "page.png")
    picture = np.array(Image.open(tmp_path / "page.png").convert("L"))
    dark = picture < 128
    half = np.array(picture.shape) // 2
    quarters = [dark[: half[0], : half[1]], dark[: half[0], half[1] :], dark[half[0] :, : half[1]]]
    assert all(quarter.any() for quarter in quarters)
    assert not dark[half[0] :, half[1] :].any()
