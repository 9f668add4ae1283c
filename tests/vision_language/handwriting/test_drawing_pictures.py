"""Sheets of drawings: where lines and dots stand."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

from zoo.vision_language.handwriting.drawing_pictures import plot_drawings, svg_lines

LINE = [[[0, 0], [30, 60]], [[15, 30]]]
PATH = "{http://www.w3.org/2000/svg}path"


def coordinates(path) -> np.ndarray:
    return np.array(re.findall(r"-?[\d.]+", path.get("d")), float).reshape(-1, 2)


def test_each_drawing_fills_a_cell_of_its_own():
    answers = [{"drawings": [LINE, LINE]}, {"error": "no ink"}, {"drawings": [LINE]}]
    sheet = ElementTree.fromstring("\n".join(svg_lines(answers)))
    assert sheet.get("viewBox") == "0 0 200 200"
    first, second, third = sheet.iter(PATH)
    expected = [[30, 10], [70, 90], [50, 50], [50, 50]]
    assert coordinates(first).tolist() == expected
    assert (coordinates(second) - coordinates(first)).tolist() == [[100, 0]] * 4
    assert (coordinates(third) - coordinates(first)).tolist() == [[0, 100]] * 4
    assert first.get("d").count("M") == 2


def test_no_drawing_makes_an_empty_sheet():
    assert not list(ElementTree.fromstring("\n".join(svg_lines([{"error": "no ink"}]))).iter(PATH))


def test_a_sheet_as_png(tmp_path):
    points = np.array([[0.0, 0, 0], [0, 60, 1], [30, 30, 1]])
    plot_drawings([points] * 3, tmp_path / "sheet.png")
    picture = np.array(Image.open(tmp_path / "sheet.png").convert("L"))
    dark = picture < 128
    half = np.array(picture.shape) // 2
    quarters = [dark[: half[0], : half[1]], dark[: half[0], half[1] :], dark[half[0] :, : half[1]]]
    assert all(quarter.any() for quarter in quarters)
    assert not dark[half[0] :, half[1] :].any()
